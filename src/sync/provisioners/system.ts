import { assertMark, refuseIf, reservedUid, unixNameProblem } from '../account-names.js'
import { Homes } from '../homes.js'
import { assertHome } from '../home-paths.js'
import { openTools } from '../open-tools.js'
import type { ProvisionerOptions } from '../open-provisioner.js'
import { parsePasswd, parseShadow, type PasswdEntry, type ShadowEntry } from '../passwd.js'
import { ProvisionError } from '../provision-error.js'
import type { SettingsOf } from '../provisioner-settings.js'
import type { AccountSecret, ObservedAccount, Provisioner, ProvisionerCall } from '../provisioner.js'
import { AuthorizedKeys } from '../authorized-keys.js'
import { failure, type Tools } from '../tools.js'
import { passwordOf } from '../virtual-accounts.js'

/** Exit codes of getent(1), useradd(8) and userdel(8). */
const NOT_FOUND = 2
const NAME_IN_USE = 9
const NO_SUCH_USER = 6

const DAY = 86_400_000

/** Unix accounts by useradd(8) and its siblings, over SSH. A disabled one is locked and expired, so that no key works either. */
export async function openSystemProvisioner(
  settings: SettingsOf<'system'>,
  options: ProvisionerOptions,
): Promise<Provisioner> {
  const tools = await openTools(settings.ssh, options)
  const now = options.now ?? Date.now
  return systemProvisioner(settings, tools, now, options.server.admin?.username)
}

function systemProvisioner(
  settings: SettingsOf<'system'>,
  tools: Tools,
  now: () => number,
  admin: string | undefined,
): Provisioner {
  const homes = new Homes(tools, settings.homeBase, now)
  const keys = settings.authorizedKeys === undefined ? undefined : new AuthorizedKeys(tools, settings.authorizedKeys)

  const nameProblem = (name: string): string | undefined =>
    name === tools.login || name === admin ? 'The gateway logs in with this account itself.' : unixNameProblem(name)
  /** A name alone tells little: the server's own answer decides. */
  const reserved = ({ name, uid, gid }: PasswdEntry): string | undefined =>
    nameProblem(name) ?? reservedUid(uid) ?? (gid === 0 ? 'The account belongs to the group root.' : undefined)
  const isDisabled = ({ locked, expires }: ShadowEntry): boolean =>
    locked || (expires !== undefined && expires * DAY <= now())

  const find = async (name: string, call: ProvisionerCall): Promise<PasswdEntry | undefined> => {
    refuseIf(nameProblem(name))
    const argv = ['getent', 'passwd', '--', name]
    const result = await tools.plain(argv, call)
    if (result.code === NOT_FOUND) return undefined
    if (result.code !== 0) throw failure(argv, result)
    const entry = parsePasswd(result.stdout).find((one) => one.name === name)
    if (entry === undefined) throw new ProvisionError('PROTOCOL', 'getent tells of another account than was asked for.')
    refuseIf(reserved(entry))
    return entry
  }
  const mustFind = async (name: string, call: ProvisionerCall): Promise<PasswdEntry> => {
    const entry = await find(name, call)
    if (entry === undefined) throw new ProvisionError('NO_ACCOUNT', `There is no account ${name}.`)
    return entry
  }
  const shadowOf = async (name: string, call: ProvisionerCall): Promise<ShadowEntry> => {
    const shadow = parseShadow(await tools.must(['getent', 'shadow', '--', name], call)).get(name)
    if (shadow === undefined) throw new ProvisionError('PROTOCOL', `The server has no shadow entry of ${name}.`)
    return shadow
  }
  const usermod = (name: string, call: ProvisionerCall, ...changes: string[]) =>
    tools.must(['/usr/sbin/usermod', ...changes, '--', name], call)

  const enable = async (name: string, call: ProvisionerCall) => {
    await mustFind(name, call)
    const { locked, expires } = await shadowOf(name, call)
    if (locked) await usermod(name, call, '--unlock')
    if (expires !== undefined) await usermod(name, call, '--expiredate', '')
  }

  const setSecret = async (name: string, secret: AccountSecret, call: ProvisionerCall, keep?: AccountSecret) => {
    const { locked } = await shadowOf(name, call)
    if (secret.kind === 'key') {
      if (keys === undefined)
        throw new ProvisionError('UNSUPPORTED', 'No folder for public keys is set for this server.')
      await keys.set(name, [secret, keep], call)
      // One way in at a time: a password of before ends. `*` fits none, and is not what OpenSSH takes for locked.
      if (keep?.kind !== 'password') await usermod(name, call, '--password', locked ? '!*' : '*')
      return
    }
    // Checked: a second line would set the password of somebody else.
    const password = passwordOf(secret)
    const input = `${name}:${password}\n`
    await tools.must(['/usr/sbin/chpasswd'], { ...call, input, secrets: [password] })
    // chpasswd puts the new hash in the place of a locked one. Until this, the expiry keeps the account closed.
    if (locked) await usermod(name, call, '--lock')
    if (keep?.kind !== 'key') await keys?.remove(name, call)
  }

  return {
    kind: 'system',
    secrets: keys === undefined ? ['password'] : ['password', 'key'],
    nameProblem,
    defaultHome: (name) => homes.defaultFor(name),

    async read(call) {
      const entries = parsePasswd(await readAll(tools, ['getent', 'passwd'], call))
      const shadow = parseShadow(await tools.must(['getent', 'shadow'], call))
      const folders = await homes.read(call)
      return entries.map((entry): ObservedAccount => {
        const state = shadow.get(entry.name)
        return {
          name: entry.name,
          state: state === undefined || isDisabled(state) ? 'disabled' : 'enabled',
          home: entry.home,
          homeReady: homes.isReady(folders, entry.home, entry.uid),
          mark: entry.comment.split(',')[0] ?? '',
          reserved: reserved(entry),
        }
      })
    },

    async makeHome(name, home, call) {
      await homes.make(home, await mustFind(name, call), call)
    },

    async create({ name, home = homes.defaultFor(name), secret, mark }, call) {
      refuseIf(nameProblem(name))
      assertMark(mark)
      assertHome(homes.base, home)
      const there = await find(name, call)
      if (there === undefined) {
        await useradd(tools, settings, { name, home, mark: mark ?? '', keyOnly: secret.kind === 'key' }, call)
      } else if (mark === undefined || there.comment.split(',')[0] !== mark) throw taken(name)
      else if (there.home !== home) await usermod(name, call, '--home', home)
      // The new account too: what counts is the uid that it got.
      await mustFind(name, call)
      await setSecret(name, secret, call)
      await enable(name, call)
    },

    async setSecret(name, secret, { keep, ...call }) {
      await mustFind(name, call)
      await setSecret(name, secret, call, keep)
    },

    async setHome(name, home, call) {
      assertHome(homes.base, home)
      const entry = await mustFind(name, call)
      if (entry.home !== home) await usermod(name, call, '--home', home)
    },

    enable,

    async disable(name, call) {
      await mustFind(name, call)
      const { locked, expires } = await shadowOf(name, call)
      // Expired first: then no key works, whatever happens next.
      if (expires === undefined || expires * DAY > now()) await usermod(name, call, '--expiredate', '1')
      if (!locked) await usermod(name, call, '--lock')
    },

    async archiveHome(name, home, call) {
      await find(name, call)
      return homes.archive(home, call)
    },

    async remove(name, call) {
      if ((await find(name, call)) !== undefined) {
        const argv = ['/usr/sbin/userdel', '--', name]
        const result = await tools.asRoot(argv, call)
        if (result.code !== 0 && result.code !== NO_SUCH_USER) throw failure(argv, result)
      }
      await keys?.remove(name, call)
    },

    close: () => tools.close(),
  }
}

interface NewUnixAccount {
  readonly name: string
  readonly home: string
  readonly mark: string
  readonly keyOnly: boolean
}

async function useradd(
  tools: Tools,
  settings: SettingsOf<'system'>,
  { name, home, mark, keyOnly }: NewUnixAccount,
  call: ProvisionerCall,
): Promise<void> {
  const groups = settings.groups.length === 0 ? [] : ['--groups', settings.groups.join(',')]
  const shape = ['--home-dir', home, '--no-create-home', '--shell', settings.shell, '--comment', mark, '--user-group']
  // No password at all, but not the `!` of a locked account, which OpenSSH without PAM refuses keys for.
  const noPassword = keyOnly ? ['--password', '*'] : []
  const argv = ['/usr/sbin/useradd', ...shape, ...groups, ...noPassword, '--', name]
  const result = await tools.asRoot(argv, call)
  if (result.code === NAME_IN_USE) throw taken(name)
  if (result.code !== 0) throw failure(argv, result)
}

function taken(name: string): ProvisionError {
  return new ProvisionError('NAME_TAKEN', `There is an account ${name} that the gateway did not make.`)
}

async function readAll(tools: Tools, argv: readonly string[], call: ProvisionerCall): Promise<string> {
  const result = await tools.plain(argv, call)
  if (result.code !== 0) throw failure(argv, result)
  return result.stdout
}
