import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { assertMark, refuseIf, virtualNameProblem } from '../account-names.js'
import { oneKey } from '../authorized-keys.js'
import { assertHome } from '../home-paths.js'
import { JsonClient, type JsonAnswer, type JsonRequest } from '../json-client.js'
import type { ProvisionerOptions } from '../open-provisioner.js'
import { ProvisionError } from '../provision-error.js'
import type { SettingsOf } from '../provisioner-settings.js'
import type { AccountSecret, ObservedAccount, Provisioner, ProvisionerCall } from '../provisioner.js'
import { scrubbed } from '../tools.js'
import { passwordOf } from '../virtual-accounts.js'

/** What is looked at of a user; the rest goes back as it came. */
const userShape = z.looseObject({
  username: z.string(),
  status: z.union([z.literal(0), z.literal(1)]),
  home_dir: z.string(),
  additional_info: z.string().optional(),
  expiration_date: z.number().optional(),
})
type User = z.output<typeof userShape>
const tokenShape = z.object({ access_token: z.string().min(1) })

const PAGE = 500
const MOST_PAGES = 200

/**
 * Users of SFTPGo by its REST API, https://github.com/drakkan/sftpgo/blob/main/openapi/openapi.yaml (v2.7). It makes homes itself
 * when somebody logs in; its users are none of the machine, so there is no uid to look at.
 */
export async function openSftpgoProvisioner(
  settings: SettingsOf<'sftpgo'>,
  options: ProvisionerOptions,
): Promise<Provisioner> {
  const api = new SftpgoApi(settings, options)
  await api.logIn({ signal: options.signal })
  const now = options.now ?? Date.now
  const base = settings.homeBase

  const find = async (name: string, call: ProvisionerCall): Promise<User | undefined> => {
    refuseIf(virtualNameProblem(name))
    const answer = await api.ask('GET', `/users/${encodeURIComponent(name)}`, call, [404])
    return answer.status === 404 ? undefined : understood(userShape, answer)
  }
  const mustFind = async (name: string, call: ProvisionerCall): Promise<User> => {
    const user = await find(name, call)
    if (user === undefined) throw new ProvisionError('NO_ACCOUNT', `There is no account ${name}.`)
    return user
  }
  const put = (user: User, changes: Readonly<Record<string, unknown>>, call: JsonRequest, secrets: string[] = []) =>
    api.ask(
      'PUT',
      `/users/${encodeURIComponent(user.username)}?disconnect=${changes['status'] === 0 ? 1 : 0}`,
      { ...call, body: { ...user, ...changes } },
      [],
      secrets,
    )

  return {
    kind: 'sftpgo',
    secrets: ['password', 'key'],
    nameProblem: virtualNameProblem,
    defaultHome: (name) => `${base}/${name}`,

    async read(call) {
      const users: User[] = []
      for (let page = 0; page < MOST_PAGES; page++) {
        const path = `/users?limit=${PAGE}&offset=${page * PAGE}&order=ASC`
        const some = understood(z.array(userShape), await api.ask('GET', path, call))
        users.push(...some)
        if (some.length < PAGE) return users.map((user) => observed(user, now()))
      }
      throw new ProvisionError('PROTOCOL', `The server has more than ${PAGE * MOST_PAGES} users.`)
    },

    async makeHome(name, home, call) {
      assertHome(base, home)
      const { home_dir } = await mustFind(name, call)
      if (home_dir !== home) throw new ProvisionError('REFUSED', `The home of ${name} is another folder: ${home_dir}.`)
    },

    async create({ name, home = `${base}/${name}`, secret, mark }, call) {
      assertMark(mark)
      assertHome(base, home)
      const { fields, secrets } = loginFields(secret, undefined)
      const there = await find(name, call)
      if (there === undefined) {
        const permissions = { '/': settings.permissions }
        const body = { username: name, status: 1, home_dir: home, permissions, additional_info: mark ?? '', ...fields }
        await api.ask('POST', '/users', { ...call, body }, [], secrets)
        return
      }
      if (mark === undefined || there.additional_info !== mark) {
        throw new ProvisionError('NAME_TAKEN', `There is an account ${name} that the gateway did not make.`)
      }
      await put(there, { status: 1, home_dir: home, ...fields }, call, secrets)
    },

    async setSecret(name, secret, { keep, ...call }) {
      const { fields, secrets } = loginFields(secret, keep)
      await put(await mustFind(name, call), fields, call, secrets)
    },

    async setHome(name, home, call) {
      assertHome(base, home)
      const user = await mustFind(name, call)
      if (user.home_dir !== home) await put(user, { home_dir: home }, call)
    },

    async enable(name, call) {
      const user = await mustFind(name, call)
      if (observed(user, now()).state === 'disabled') await put(user, { status: 1, expiration_date: 0 }, call)
    },

    async disable(name, call) {
      const user = await mustFind(name, call)
      if (user.status !== 0) await put(user, { status: 0 }, call)
    },

    async remove(name, call) {
      refuseIf(virtualNameProblem(name))
      await api.ask('DELETE', `/users/${encodeURIComponent(name)}`, call, [404])
    },

    close: () => Promise.resolve(),
  }
}

function observed(user: User, now: number): ObservedAccount {
  const { username, status, home_dir, additional_info = '', expiration_date = 0 } = user
  const expired = expiration_date > 0 && expiration_date <= now
  return {
    name: username,
    state: status === 1 && !expired ? 'enabled' : 'disabled',
    home: home_dir,
    homeReady: undefined,
    mark: additional_info,
    reserved: virtualNameProblem(username),
  }
}

/** One way in at a time, but for what is kept. A password cannot be taken away: one that nobody knows takes its place. */
function loginFields(secret: AccountSecret, keep: AccountSecret | undefined) {
  const keys = [secret, keep].flatMap((one) => (one?.kind === 'key' ? [oneKey(one.publicKey)] : []))
  const password = secret.kind === 'password' ? passwordOf(secret) : randomBytes(32).toString('base64url')
  const keeps = secret.kind === 'key' && keep?.kind === 'password'
  return { fields: { public_keys: keys, ...(!keeps && { password }) }, secrets: [password] }
}

function understood<S extends z.ZodType>(shape: S, answer: JsonAnswer): z.output<S> {
  const result = shape.safeParse(answer.body)
  if (result.success) return result.data
  throw new ProvisionError('PROTOCOL', 'SFTPGo answered with something else than its API promises.')
}

class SftpgoApi {
  readonly #client: JsonClient
  #authorization: Record<string, string> = {}

  constructor(
    private readonly settings: SettingsOf<'sftpgo'>,
    private readonly options: ProvisionerOptions,
  ) {
    const { drivers, deadline } = options
    this.#client = new JsonClient({ drivers, url: settings.url, fingerprints: settings.fingerprints, deadline })
  }

  /** @throws LOGIN_REJECTED, UNSUPPORTED (no credential is stored) */
  async logIn(call: ProvisionerCall): Promise<void> {
    const { apiKey, password } = this.options.secret ?? {}
    const { username } = this.settings
    if (username === undefined) {
      if (apiKey === undefined) throw new ProvisionError('UNSUPPORTED', 'No API key and no administrator is stored.')
      this.#authorization = { 'x-sftpgo-api-key': apiKey }
      return
    }
    if (password === undefined) throw new ProvisionError('UNSUPPORTED', `No password of ${username} is stored.`)
    const basic = Buffer.from(`${username}:${password}`).toString('base64')
    const answer = await this.#client.send('GET', '/api/v2/token', {
      ...call,
      headers: { authorization: `Basic ${basic}` },
    })
    if (answer.status !== 200) throw refusal(answer, [password])
    this.#authorization = { authorization: `Bearer ${understood(tokenShape, answer).access_token}` }
  }

  /** Once more after a new login, when the token has run out. @param fine statuses that are answers too */
  async ask(
    method: string,
    path: string,
    request: JsonRequest,
    fine: readonly number[] = [],
    secrets: readonly string[] = [],
  ): Promise<JsonAnswer> {
    const send = () => this.#client.send(method, `/api/v2${path}`, { ...request, headers: this.#authorization })
    let answer = await send()
    if (answer.status === 401 && this.settings.username !== undefined) {
      await this.logIn(request)
      answer = await send()
    }
    if ((answer.status >= 200 && answer.status < 300) || fine.includes(answer.status)) return answer
    throw refusal(answer, secrets)
  }
}

function refusal({ status, body }: JsonAnswer, secrets: readonly string[]): ProvisionError {
  if (status === 401) return new ProvisionError('LOGIN_REJECTED', 'SFTPGo refused the administrator or the API key.')
  if (status === 403) return new ProvisionError('DENIED', 'SFTPGo does not permit this to the administrator.')
  if (status === 404) return new ProvisionError('NO_ACCOUNT', 'SFTPGo has no such user.')
  if (status === 409) return new ProvisionError('NAME_TAKEN', 'SFTPGo has a user of this name already.')
  const told = z.object({ message: z.string().optional(), error: z.string().optional() }).safeParse(body)
  const words = told.success ? scrubbed(`${told.data.message ?? ''} ${told.data.error ?? ''}`, secrets) : ''
  return new ProvisionError('PROTOCOL', `SFTPGo answered ${status}${words === '' ? '.' : `: ${words}`}`)
}
