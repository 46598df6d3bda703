import { expect } from 'chai'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Secret, TOTP } from 'otpauth'
import { AuditLog } from '../../src/audit/audit-log.js'
import { ApiTokens } from '../../src/auth/api-tokens.js'
import { AppPasswords } from '../../src/auth/app-passwords.js'
import { Jwts } from '../../src/auth/jwt.js'
import { PasswordHasher } from '../../src/auth/password-hasher.js'
import { newSecret } from '../../src/auth/secret-text.js'
import { SecondFactor } from '../../src/auth/second-factor.js'
import { Throttle } from '../../src/auth/throttle.js'
import { openDatabase, type Database } from '../../src/db/database.js'
import { openSecrets } from '../../src/db/master-key.js'
import { startEmbeddedSftpServer, type EmbeddedSftpServer } from '../../src/demo/embedded-sftp-server.js'
import { UserService } from '../../src/users/user-service.js'
import { Sessions } from '../../src/auth/sessions.js'
import { BrowserSession } from '../support/browser-session.js'
import { GatewayProcess } from '../support/gateway.js'
import { actor } from '../support/services.js'
import { eventually } from '../support/upload.js'

const PASSWORD = 'the login password'
const SIZE = 64 * 1024 * 1024

const cookiesOf = ({ cookies }: BrowserSession) => [...cookies].map((pair) => pair.join('=')).join('; ')

/** Everything that is done to the accounts is done by this process, beside the gateway: the gateway has to notice. */
interface Beside {
  readonly database: Database
  readonly users: UserService
  readonly appPasswords: AppPasswords
  readonly apiTokens: ApiTokens
  readonly jwts: Jwts
  readonly secondFactor: SecondFactor
}

async function openBeside(folder: string): Promise<Beside> {
  const dataDir = path.join(folder, 'data')
  const database = await openDatabase({ dataDir })
  const cipher = await openSecrets(database, { masterKeyFile: path.join(dataDir, 'master.key') }, () => {})
  const audit = new AuditLog(database)
  return {
    database,
    users: new UserService(database, audit, new PasswordHasher()),
    appPasswords: new AppPasswords(database, audit),
    apiTokens: new ApiTokens(database, audit),
    jwts: new Jwts(database, audit, cipher),
    secondFactor: new SecondFactor(database, audit, cipher, new Throttle()),
  }
}

describe('the ways into the gateway', function () {
  this.timeout(120_000)
  let files: string
  let server: EmbeddedSftpServer
  let gateway: GatewayProcess
  let beside: Beside
  const proofs = new Map<string, Record<string, string>>()

  before(async () => {
    files = await mkdtemp(path.join(tmpdir(), 'ftpcluster-ways-'))
    await writeFile(path.join(files, 'a.txt'), 'hello')
    await writeFile(path.join(files, 'large.bin'), Buffer.alloc(SIZE, 'x'))
    const login = { username: 'remote', password: 'geheim' }
    server = await startEmbeddedSftpServer({ users: [{ ...login, root: files }] })
    const trust = { kind: 'pinned', fingerprints: [server.fingerprint] } as const
    const endpoint = { protocol: 'sftp', host: '127.0.0.1', port: server.port, trust } as const
    const users = ['with', 'without']
    gateway = await GatewayProcess.start({
      servers: [{ alias: 's', endpoint }],
      users: users.map((username) => ({ username, password: PASSWORD })),
      permissions: users.map((user) => ({ user, server: 's', login })),
    })
    beside = await openBeside(gateway.folder)
    for (const username of users) {
      const user = await beside.users.find(username)
      if (!user) throw new Error(`no ${username}`)
      if (username === 'with') await switchOn(user.id)
      const { authVersion } = await beside.users.get(user.id)
      const app = await beside.appPasswords.create(user.id, { name: 'laptop' }, actor)
      const token = await beside.apiTokens.create(user.id, { name: 'script', scopes: ['files:read'] }, actor)
      const { token: jwt } = await beside.jwts.issue({ userId: user.id, authVersion })
      proofs.set(username, { password: PASSWORD, 'app password': app.secret, token: token.secret, jwt })
    }
  })

  after(async () => {
    await beside?.database.close()
    await gateway?.stop()
    await server?.close()
    await rm(files, { recursive: true, force: true })
  })

  async function switchOn(userId: number): Promise<string[]> {
    const { secret } = await beside.secondFactor.begin(userId, actor)
    const code = new TOTP({ secret: Secret.fromBase32(secret) }).generate()
    return (await beside.secondFactor.confirm(userId, code, actor)).recoveryCodes
  }

  const basic = (username: string, password = PASSWORD) =>
    `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`

  async function get(where: string, authorization: string, method = 'GET') {
    const response = await fetch(gateway.url + where, { method, headers: { authorization } })
    return { status: response.status, body: await response.text(), headers: response.headers }
  }

  const DOORS: Readonly<Record<string, (username: string) => string>> = {
    dav: () => '/dav/s/a.txt',
    ftp: (username) => `/ftp/${username}/s/a.txt`,
    account: () => '/api/v1/me/app-passwords',
  }

  /** ASVS 5.0 6.1.3 and 6.3.4: which proof is taken at which door, without and with a second factor. */
  const table: [door: string, scheme: 'Basic' | 'Bearer', proof: string, without: number, withFactor: number][] = [
    ...(['dav', 'ftp'] as const).flatMap((door): [string, 'Basic' | 'Bearer', string, number, number][] => [
      [door, 'Basic', 'password', 200, 401],
      [door, 'Basic', 'app password', 200, 200],
      [door, 'Basic', 'token', 401, 401],
      [door, 'Basic', 'jwt', 401, 401],
      [door, 'Bearer', 'password', 401, 401],
      [door, 'Bearer', 'app password', 401, 401],
      [door, 'Bearer', 'token', 200, 200],
      [door, 'Bearer', 'jwt', 200, 200],
    ]),
    ['account', 'Basic', 'password', 200, 401],
    ['account', 'Basic', 'app password', 403, 403],
    ['account', 'Bearer', 'token', 403, 403],
    ['account', 'Bearer', 'jwt', 200, 200],
  ]
  for (const [door, scheme, proof, without, withFactor] of table) {
    it(`${door}: ${scheme} with the ${proof} gives ${without}, with a second factor ${withFactor}`, async () => {
      for (const [username, status] of [
        ['without', without],
        ['with', withFactor],
      ] as const) {
        const secret = proofs.get(username)?.[proof] ?? ''
        const authorization = scheme === 'Basic' ? basic(username, secret) : `Bearer ${secret}`
        const answer = await get(DOORS[door]?.(username) ?? '', authorization)
        expect(answer.status, username).to.equal(status)
        if (status === 200 && door !== 'account') expect(answer.body).to.equal('hello')
        expect(answer.headers.has('www-authenticate'), 'a challenge').to.equal(status === 401)
      }
    })
  }

  for (const [proof, without, withFactor] of [
    ['password', 200, 401],
    ['app password', 401, 401],
    ['token', 401, 401],
  ] as const) {
    it(`login: the ${proof} gives ${without}, with a second factor and no code ${withFactor}`, async () => {
      const statuses = []
      for (const username of ['without', 'with']) {
        const response = await fetch(`${gateway.url}/login`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', accept: 'application/json' },
          body: JSON.stringify({ username, password: proofs.get(username)?.[proof] }),
        })
        statuses.push(response.status)
        await response.body?.cancel()
      }
      expect(statuses).to.deep.equal([without, withFactor])
    })
  }

  it('tells whose password is right, and only those, to use an app password', async () => {
    for (const where of ['/dav/s/a.txt', '/ftp/with/s/a.txt']) {
      expect((await get(where, basic('with'))).body, where).to.include('app password')
      expect((await get(where, basic('with', 'a wrong one'))).body).to.not.include('app password')
    }
  })

  it('lets a token that may only read not write, and one for nothing of the files not in', async () => {
    const user = await beside.users.find('without')
    const wide = await beside.apiTokens.create(
      user?.id ?? 0,
      { name: 'rw', scopes: ['files:read', 'files:write'] },
      actor,
    )
    const put = (authorization: string) =>
      fetch(`${gateway.url}/dav/s/new.txt`, { method: 'PUT', body: 'x', headers: { authorization } })
    expect((await put(`Bearer ${proofs.get('without')?.['token'] ?? ''}`)).status).to.equal(403)
    expect((await put(`Bearer ${wide.secret}`)).status).to.equal(201)
  })

  /** A download that is under way and goes no further until it is read. */
  async function openDownload(proof: string | { cookie: string }, url = gateway.dav('s', 'large.bin')) {
    const headers = typeof proof === 'string' ? { authorization: proof } : proof
    const outgoing = request(url, { headers }).end()
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
    expect(response.statusCode).to.equal(200)
    const ended = new Promise<'whole' | 'cut'>((resolve) => {
      response.once('close', () => resolve(response.complete ? 'whole' : 'cut'))
      response.on('error', () => {})
    })
    return { response, ended }
  }

  it('cuts what a revoked app password has open and refuses it within a second; other logins go on', async () => {
    const user = await beside.users.find('without')
    const { appPassword, secret } = await beside.appPasswords.create(user?.id ?? 0, { name: 'lost phone' }, actor)
    const cut = await openDownload(basic('without', secret))
    const kept = await openDownload(basic('without', proofs.get('without')?.['app password']))
    const { code, stderr } = await gateway.cli('user', 'app-password', 'revoke', 'without', String(appPassword.id))
    expect(code, stderr).to.equal(0)
    await eventually(
      'it is refused',
      1,
      async () => (await get('/dav/s/a.txt', basic('without', secret))).status === 401,
    )
    cut.response.resume()
    kept.response.resume()
    expect([await cut.ended, await kept.ended]).to.deep.equal(['cut', 'whole'])
    expect((await get('/dav/s/a.txt', basic('without'))).status, 'the login password').to.equal(200)
  })

  it('cuts what a revoked token has open and refuses it within a second', async () => {
    const user = await beside.users.find('without')
    const made = await beside.apiTokens.create(user?.id ?? 0, { name: 'leaked', scopes: ['files:read'] }, actor)
    const cut = await openDownload(`Bearer ${made.secret}`)
    await beside.apiTokens.revoke(user?.id ?? 0, made.token.id, actor)
    const refused = async () => (await get('/dav/s/a.txt', `Bearer ${made.secret}`)).status === 401
    await eventually('it is refused', 1, refused)
    cut.response.resume()
    expect(await cut.ended).to.equal('cut')
  })

  /** Downloads under way, as an admin sees them. */
  async function running(): Promise<number> {
    const response = await get('/api/v1/activity', basic('admin', 'admin-of-the-test'))
    const { items } = JSON.parse(response.body) as { items: { username: string }[] }
    return items.filter(({ username }) => username === 'without').length
  }

  it('cuts what a JWT has open within a second of its logout; another one goes on', async () => {
    const user = await beside.users.find('without')
    const issued = await beside.jwts.issue({ userId: user?.id ?? 0, authVersion: user?.authVersion ?? 0 })
    const cut = await openDownload(`Bearer ${issued.token}`)
    const kept = await openDownload(`Bearer ${proofs.get('without')?.['jwt'] ?? ''}`)
    expect(await running()).to.equal(2)
    const headers = { authorization: `Bearer ${issued.token}`, accept: 'application/json' }
    expect((await fetch(`${gateway.url}/logout`, { headers })).status).to.equal(204)
    await eventually('it is cut', 1, async () => (await running()) === 1)
    cut.response.resume()
    kept.response.resume()
    expect([await cut.ended, await kept.ended]).to.deep.equal(['cut', 'whole'])
  })

  it('cuts what a session has open within a second of its end; other sessions go on', async () => {
    const [one, other] = [new BrowserSession(gateway.url), new BrowserSession(gateway.url)]
    for (const browser of [one, other]) await browser.login('without', PASSWORD)
    const user = await beside.users.find('without')
    const [, { key = '' } = {}] = await new Sessions(beside.database, new AuditLog(beside.database)).list(user?.id ?? 0)
    const where = `${gateway.url}/files/s/large.bin?download`
    const cut = await openDownload({ cookie: cookiesOf(one) }, where)
    const kept = await openDownload({ cookie: cookiesOf(other) }, where)
    expect(await running()).to.equal(2)
    const ended = await other.submit(`/account/sessions/${key}/end`, {}, { from: '/account' })
    expect(ended.text).to.include('The session has ended.')
    await eventually('it is cut', 1, async () => (await running()) === 1)
    cut.response.resume()
    kept.response.resume()
    expect([await cut.ended, await kept.ended]).to.deep.equal(['cut', 'whole'])
  })

  it('ends drives with the login password within a second of switching the second factor on', async () => {
    const user = await beside.users.find('without')
    const cut = await openDownload(basic('without'))
    await switchOn(user?.id ?? 0)
    await eventually('it is refused', 1, async () => {
      const answer = await get('/dav/s/a.txt', basic('without'))
      return answer.status === 401 && answer.body.includes('app password')
    })
    cut.response.resume()
    expect(await cut.ended).to.equal('cut')
    const reset = await gateway.cli('user', 'reset-second-factor', 'without')
    expect(reset.code, reset.stderr).to.equal(0)
    await eventually(
      'the password does again',
      1,
      async () => (await get('/dav/s/a.txt', basic('without'))).status === 200,
    )
  })

  it('keeps count of what was wrong over a restart', async () => {
    for (let n = 0; n < 100; n++) {
      const answer = await get('/dav/', `Bearer ${newSecret('api-token').secret}`, 'PROPFIND')
      if (answer.status === 429) break
    }
    const guess = () => get('/dav/', basic('nobody', 'a guess'), 'PROPFIND')
    expect((await guess()).status).to.equal(429)
    await gateway.end()
    await gateway.serve()
    const answer = await guess()
    expect(answer.status).to.equal(429)
    expect(Number(answer.headers.get('retry-after'))).to.be.within(1, 900)
  })

  it('has noted who came in how, and shows no secret in log and database', async () => {
    const events = await new AuditLog(beside.database).list(1000)
    const ways = new Set(events.filter(({ type }) => type === 'login.succeeded').map(({ details }) => details['via']))
    expect([...ways]).to.include.members(['password', 'app-password', 'api-token'])
    const reasons = events.filter(({ type }) => type === 'login.refused').map(({ details }) => details['reason'])
    expect(reasons).to.include.members(['second-factor', 'rejected', 'throttled'])
    const said = JSON.stringify(events) + gateway.log
    for (const secrets of proofs.values()) {
      for (const secret of Object.values(secrets)) expect(said).to.not.include(secret)
    }
  })
})
