import { expect } from 'chai'
import { Secret, TOTP } from 'otpauth'
import { Authenticator, type AuthResult } from '../../src/auth/authenticate.js'
import { HashQueue } from '../../src/auth/hash-queue.js'
import { Jwts } from '../../src/auth/jwt.js'
import { READ_SCOPES } from '../../src/auth/scope.js'
import { newSecret } from '../../src/auth/secret-text.js'
import { Throttle } from '../../src/auth/throttle.js'
import { AccessCache } from '../../src/permissions/access-cache.js'
import { loggedIn } from '../support/logged-in.js'
import { actor, openTestServices, type TestServices } from '../support/services.js'

const HOME = '192.0.2.1'
const header = (username: string, password: string) =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`

describe('Authenticator', () => {
  let services: TestServices
  let cache: AccessCache
  let door: Authenticator
  let userId: number
  let compared: number
  let noted: string[]
  let now: number
  let stop: () => void

  beforeEach(async () => {
    services = await openTestServices()
    userId = (await services.users.create({ username: 'al', password: 'p:w ??>>ä', role: 'user' }, actor)).id
    compared = 0
    noted = []
    now = Date.now()
    cache = new AccessCache({ load: (userIds) => services.access.load(userIds) })
    door = newDoor()
    const watch = await services.database.revision.watch({
      intervalMs: 1e6,
      onChange: async () => {
        door.forget()
        await cache.refresh()
      },
    })
    stop = () => watch.stop()
  })
  afterEach(async () => {
    stop()
    cache.stop()
    await services.close()
  })

  function newDoor(options: { hashes?: HashQueue; throttle?: Throttle } = {}): Authenticator {
    return new Authenticator({
      credentials: (username) => services.users.credentials(username),
      access: cache,
      hasher: {
        matches: (password, hash) => {
          compared++
          return services.hasher.matches(password, hash)
        },
        dummy: () => services.hasher.dummy(),
      },
      appPasswords: services.appPasswords,
      apiTokens: services.apiTokens,
      jwts: services.jwts,
      logins: {
        succeeded: ({ username, via }) => void noted.push(`${username} by ${via}`),
        refused: ({ username, via, reason }) => void noted.push(`${username ?? 'nobody'} ${reason} by ${via}`),
        used: () => undefined,
      },
      throttle: new Throttle({ wait: () => Promise.resolve() }),
      now: () => now,
      ...options,
    })
  }

  const ask = (username = 'al', password = 'p:w ??>>ä', address = HOME) =>
    door.basic(header(username, password), address)
  const login = async (...words: Parameters<typeof ask>): Promise<AuthResult> => ask(...words)
  const reason = (result: AuthResult) => (result.ok ? 'ok' : result.reason)

  it('compares once, then answers at once and without a query', async () => {
    const user = loggedIn({ userId, username: 'al' })
    expect(await login()).to.deep.equal({ ok: true, user })
    let queries = 0
    const { User, Permission } = services.database.models
    User.addHook('beforeFind', () => void queries++)
    Permission.addHook('beforeFind', () => void queries++)
    expect(ask()).to.deep.equal({ ok: true, user })
    expect([compared, queries]).to.deep.equal([1, 0])
  })

  it('compares once for 50 first requests at the same time', async () => {
    const results = await Promise.all(Array.from({ length: 50 }, () => login()))
    expect(results.every(({ ok }) => ok)).to.equal(true)
    expect(compared).to.equal(1)
  })

  it('says at once what has no credentials', () => {
    expect(door.basic(undefined, HOME)).to.deep.equal({ ok: false, reason: 'missing' })
    expect(door.basic('Bearer ', HOME)).to.deep.equal({ ok: false, reason: 'missing' })
    expect(door.basic('Basic', HOME)).to.deep.equal({ ok: false, reason: 'malformed' })
  })

  it('rejects what is nearly right', async () => {
    const wrong: [string, string][] = [
      ['al', 'p'],
      ['al', 'p:w ??>>ä:junk'],
      ['al', 'p:w ??>>ä '],
      ['AL', 'p:w ??>>ä'],
      ['al ', 'p:w ??>>ä'],
      ['nobody', 'p:w ??>>ä'],
      [`al' OR '1'='1`, 'p:w ??>>ä'],
    ]
    for (const [username, password] of wrong) expect(reason(await login(username, password))).to.equal('rejected')
  })

  it('hashes for an unknown user too', async () => {
    await login('nobody', 'whatever')
    expect(compared).to.equal(1)
  })

  it('notices a new password with the next request', async () => {
    await login()
    await services.users.setPassword(userId, 'password-2', actor)
    expect(reason(await login())).to.equal('rejected')
    expect(reason(await login('al', 'password-2'))).to.equal('ok')
  })

  it('notices a disabled user with the next request, and an enabled one', async () => {
    await login()
    await services.users.setDisabled(userId, true, actor)
    expect(reason(await login())).to.equal('rejected')
    await services.users.setDisabled(userId, false, actor)
    expect(reason(await login())).to.equal('ok')
  })

  it('notices a user who was removed and made again', async () => {
    await login()
    await services.users.remove(userId, actor)
    await services.users.create({ username: 'al', password: 'password-2' }, actor)
    expect(reason(await login())).to.equal('rejected')
  })

  it('lets in whose password was just changed elsewhere, before the watcher noticed', async () => {
    await cache.get(userId)
    const { User } = services.database.models
    const { hash } = await services.hasher.hash('password-2')
    await User.update({ passwordHash: hash, authVersion: 2 }, { where: { id: userId } })
    expect(await login('al', 'password-2')).to.deep.include({ ok: true })
    expect(cache.peek(userId)?.authVersion).to.equal(2)
  })

  it('remembers a password for 5 minutes since its last use', async () => {
    await login()
    now += 4 * 60_000
    await login()
    now += 4 * 60_000
    await login()
    expect(compared).to.equal(1)
    now += 5 * 60_000 + 1
    await login()
    expect(compared).to.equal(2)
  })

  it('remembers a password for an hour at most', async () => {
    for (let minute = 0; minute < 61; minute++) {
      await login()
      now += 60_000
    }
    expect(compared).to.equal(2)
  })

  it('counts one wrong password that is repeated once a minute', async () => {
    for (let n = 0; n < 500; n++) expect(reason(await login('al', 'old password'))).to.equal('rejected')
    expect(compared).to.equal(1)
    now += 60_001
    await login('al', 'old password')
    expect(compared).to.equal(2)
    expect(reason(await login()), 'the owner is not locked out').to.equal('ok')
  })

  it('stops guessing after ten, and lets the owner in from elsewhere', async () => {
    for (let n = 0; n < 10; n++) expect(reason(await login('al', `guess ${n}`))).to.equal('rejected')
    const result = await login('al', 'guess 11')
    expect(result).to.include({ ok: false, reason: 'throttled' })
    expect(result.ok || result.retryAfterSeconds).to.be.greaterThan(0)
    expect(reason(await login()), 'right, but from there').to.equal('throttled')
    expect(reason(await login('al', 'p:w ??>>ä', '198.51.100.1'))).to.equal('ok')
    expect(compared).to.equal(11)
  })

  it('keeps the door open for a drive that is mounted while its user is guessed at', async () => {
    await login()
    for (let n = 0; n < 50; n++) await login('al', `guess ${n}`)
    expect(reason(await login())).to.equal('ok')
  })

  it('is busy when too many passwords wait to be compared', async () => {
    door = newDoor({ hashes: new HashQueue(1, 2) })
    const results = await Promise.all(
      Array.from({ length: 6 }, (_, n) => login(`user${n}`, 'whatever', `192.0.2.${n}`)),
    )
    const reasons = results.map(reason)
    expect(reasons.filter((text) => text === 'rejected')).to.have.length(3)
    expect(results.find((result) => reason(result) === 'busy')).to.deep.equal({
      ok: false,
      reason: 'busy',
      retryAfterSeconds: 2,
    })
  })

  describe('by app password', () => {
    let secret: string
    let id: number

    beforeEach(async () => {
      const made = await services.appPasswords.create(userId, { name: 'laptop', readOnly: true }, actor)
      secret = made.secret
      id = made.appPassword.id
    })

    it('lets in without bcrypt, with what the app password may, then at once and without a query', async () => {
      const credential = { id, name: 'laptop' }
      const user = loggedIn({ userId, username: 'al', via: 'app-password', credential, scopes: READ_SCOPES })
      expect(await login('al', secret)).to.deep.equal({ ok: true, user: { ...user, servers: undefined } })
      let queries = 0
      services.database.models.AppPassword.addHook('beforeFind', () => void queries++)
      expect(ask('al', secret)).to.deep.equal({ ok: true, user: { ...user, servers: undefined } })
      expect([compared, queries]).to.deep.equal([0, 0])
      expect(noted).to.deep.equal(['al by app-password'])
    })

    it('looks once for 50 first requests at the same time, and notes one login', async () => {
      let queries = 0
      services.database.models.AppPassword.addHook('beforeFind', () => void queries++)
      const results = await Promise.all(Array.from({ length: 50 }, () => login('al', secret)))
      expect(results.every(({ ok }) => ok)).to.equal(true)
      expect([queries, noted]).to.deep.equal([1, ['al by app-password']])
    })

    it('is the user’s own only', async () => {
      await services.users.create({ username: 'other', password: 'password-1' }, actor)
      expect(reason(await login('other', secret))).to.equal('rejected')
      await login('al', secret)
      expect(reason(await login('other', secret)), 'also when it is remembered').to.equal('rejected')
      expect(compared).to.equal(0)
    })

    it('refuses with the next request what was revoked, and lets the login password in as before', async () => {
      await login('al', secret)
      await login()
      await services.appPasswords.revoke(userId, id, actor)
      expect(reason(await login('al', secret))).to.equal('rejected')
      expect(reason(await login())).to.equal('ok')
      expect(compared, 'of the login password').to.equal(1)
    })

    it('gives nothing out that was revoked while it was looked up', async () => {
      const find = services.appPasswords.find.bind(services.appPasswords)
      services.appPasswords.find = async (read) => {
        const found = await find(read)
        if (found) await services.appPasswords.revoke(userId, id, actor)
        return found
      }
      expect(reason(await login('al', secret))).to.equal('rejected')
    })

    it('stays good when the password changes, and notes no new login for that', async () => {
      await login('al', secret)
      await services.users.setPassword(userId, 'password-2', actor)
      expect(await login('al', secret)).to.have.nested.property('user.authVersion', 2)
      expect(noted).to.deep.equal(['al by app-password'])
    })

    it('ends with its user', async () => {
      await login('al', secret)
      await services.users.setDisabled(userId, true, actor)
      expect(reason(await login('al', secret))).to.equal('rejected')
    })

    it('ends when it expires', async () => {
      const expiresAt = new Date(now + 60_000)
      const short = await services.appPasswords.create(userId, { name: 'short', expiresAt }, actor)
      expect(reason(await login('al', short.secret))).to.equal('ok')
      now += 60_000
      expect(reason(await login('al', short.secret))).to.equal('rejected')
    })

    it('lets a right one in where wrong ones came before', async () => {
      for (let n = 0; n < 12; n++) await login('al', newSecret('app-password').secret)
      expect(reason(await login('al', newSecret('app-password').secret))).to.equal('throttled')
      expect(reason(await login('al', secret))).to.equal('ok')
    })

    it('counts wrong ones in the same limits as passwords', async () => {
      for (let n = 0; n < 5; n++) await login('al', `guess ${n}`)
      for (let n = 0; n < 5; n++) await login('al', newSecret('app-password').secret)
      expect(reason(await login())).to.equal('throttled')
    })

    it('is no login password, and no bearer token', async () => {
      const form = await door.password('al', secret, HOME, { secondFactor: 'report' })
      expect(reason(form)).to.equal('rejected')
      expect(reason(await door.bearer(`Bearer ${secret}`, HOME))).to.equal('rejected')
    })
  })

  describe('by bearer token', () => {
    const bearer = async (token: string, address = HOME) => door.header(`Bearer ${token}`, address)

    it('lets an API token do what was chosen', async () => {
      const { secret } = await services.apiTokens.create(userId, { name: 'script', scopes: ['files:read'] }, actor)
      const result = await bearer(secret)
      expect(result).to.have.nested.property('user.via', 'api-token')
      expect(result.ok && [...result.user.scopes]).to.deep.equal(['files:read'])
      expect(reason(await login('al', secret)), 'as a password').to.equal('rejected')
    })

    it('refuses with the next request what was revoked', async () => {
      const made = await services.apiTokens.create(userId, { name: 'script', scopes: ['files:read'] }, actor)
      await bearer(made.secret)
      await services.apiTokens.revoke(userId, made.token.id, actor)
      expect(reason(await bearer(made.secret))).to.equal('rejected')
    })

    it('lets a JWT do what its user may, until the password changes', async () => {
      const { token } = await services.jwts.issue({ userId, authVersion: 1 })
      const { jti: proof } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as {
        jti: string
      }
      const user = loggedIn({ userId, username: 'al', via: 'jwt', proof })
      expect(await bearer(token)).to.deep.equal({ ok: true, user })
      await services.users.setPassword(userId, 'password-2', actor)
      expect(reason(await bearer(token))).to.equal('rejected')
    })

    it('says what is no bearer token at all', async () => {
      expect(reason(await door.header('Bearer', HOME))).to.equal('malformed')
      expect(reason(await door.header('Digest x', HOME))).to.equal('missing')
      expect(reason(await door.header(header('al', 'p:w ??>>ä'), HOME))).to.equal('ok')
    })

    it('refuses a network that guesses tokens, and with it passwords, but no token that is right', async () => {
      door = newDoor({ throttle: new Throttle({ perNetwork: 5, wait: () => Promise.resolve() }) })
      const { secret } = await services.apiTokens.create(userId, { name: 'script', scopes: ['files:read'] }, actor)
      for (let n = 0; n < 5; n++) expect(reason(await bearer(newSecret('api-token').secret))).to.equal('rejected')
      expect(reason(await bearer('a.b.c'))).to.equal('throttled')
      expect(reason(await login())).to.equal('throttled')
      expect(reason(await bearer(secret))).to.equal('ok')
    })

    it('does not count a JWT that has expired: its script comes again and again', async () => {
      door = newDoor({ throttle: new Throttle({ perNetwork: 5, wait: () => Promise.resolve() }) })
      const old = new Jwts(services.database, services.audit, services.cipher, () => now - 3_600_000)
      const { token } = await old.issue({ userId, authVersion: 1 })
      for (let n = 0; n < 20; n++) expect(reason(await bearer(token))).to.equal('rejected')
      expect(reason(await login())).to.equal('ok')
    })
  })

  describe('of a user with a second factor', () => {
    beforeEach(async () => {
      const { secret } = await services.secondFactor.begin(userId, actor)
      const code = new TOTP({ secret: Secret.fromBase32(secret) }).generate()
      await services.secondFactor.confirm(userId, code, actor)
    })

    it('refuses the right password, saying why, and a wrong one as ever', async () => {
      expect(reason(await login())).to.equal('second-factor')
      expect(reason(await login('al', 'wrong'))).to.equal('rejected')
      expect(noted).to.deep.equal(['al second-factor by password', 'al rejected by password'])
    })

    it('remembers that too: a drive with the password costs one bcrypt', async () => {
      for (let n = 0; n < 20; n++) await login()
      expect(compared).to.equal(1)
    })

    it('reports it to a login form', async () => {
      const result = await door.password('al', 'p:w ??>>ä', HOME, { secondFactor: 'report' })
      expect(result).to.deep.include({ ok: true, needsSecondFactor: true, mustChangePassword: false })
      expect(noted, 'nobody is logged in yet').to.deep.equal([])
    })

    it('lets app passwords and tokens in', async () => {
      const app = await services.appPasswords.create(userId, { name: 'laptop' }, actor)
      expect(reason(await login('al', app.secret))).to.equal('ok')
      const { authVersion } = await services.users.get(userId)
      const { token } = await services.jwts.issue({ userId, authVersion })
      expect(reason(await door.header(`Bearer ${token}`, HOME))).to.equal('ok')
    })

    it('is let in by the password alone again after a reset', async () => {
      await login()
      await services.secondFactor.reset(userId, actor)
      expect(reason(await login())).to.equal('ok')
    })
  })

  it('ends a drive with the login password once the second factor is on', async () => {
    await login()
    const { secret } = await services.secondFactor.begin(userId, actor)
    expect(reason(await login()), 'not yet').to.equal('ok')
    const code = new TOTP({ secret: Secret.fromBase32(secret) }).generate()
    await services.secondFactor.confirm(userId, code, actor)
    expect(reason(await login())).to.equal('second-factor')
  })

  it('takes a password that must be changed in a login form only', async () => {
    await services.users.setPassword(userId, 'password-2', actor, { mustChange: true })
    expect(reason(await login('al', 'password-2'))).to.equal('password-change')
    const result = await door.password('al', 'password-2', HOME, { secondFactor: 'report' })
    expect(result).to.deep.include({ ok: true, needsSecondFactor: false, mustChangePassword: true })
    await services.users.setPassword(userId, 'password-3', actor)
    expect(reason(await login('al', 'password-3'))).to.equal('ok')
  })

  describe('by session', () => {
    it('lets in with what the user may now, until the password changes', async () => {
      const user = loggedIn({ userId, username: 'al', via: 'session', proof: 'its key' })
      expect(await door.session(userId, 1, 'its key')).to.deep.equal({ ok: true, user })
      expect(door.session(userId, 1, 'its key'), 'without a query').to.deep.equal({ ok: true, user })
      await services.users.setPassword(userId, 'password-2', actor)
      expect(reason(await door.session(userId, 1))).to.equal('rejected')
      expect(reason(await door.session(userId, 2))).to.equal('ok')
    })

    it('knows nobody who is disabled or not there', async () => {
      expect(reason(await door.session(4711, 1))).to.equal('rejected')
      await services.users.setDisabled(userId, true, actor)
      expect(reason(await door.session(userId, 2))).to.equal('rejected')
    })

    it('gives admins what admins may', async () => {
      await services.users.setRole(userId, 'admin', actor)
      const result = await door.session(userId, 2)
      expect(result).to.deep.include({
        ok: true,
        user: loggedIn({ userId, username: 'al', admin: true, via: 'session', authVersion: 2 }),
      })
    })
  })

  it('does the same work for a name that nobody has as for a wrong password', async () => {
    const work: number[] = []
    for (const username of ['al', 'nobody', 'al', 'nobody']) {
      const before = compared
      expect(reason(await login(username, `guess ${work.length}`))).to.equal('rejected')
      work.push(compared - before)
    }
    expect(work).to.deep.equal([1, 1, 1, 1])
    const form = await door.password('nobody', 'guess', HOME, { secondFactor: 'report' })
    expect([form, compared]).to.deep.equal([{ ok: false, reason: 'rejected' }, 5])
  })

  it('notes each login once, and each refusal', async () => {
    for (let n = 0; n < 3; n++) await login()
    await login('al', 'wrong')
    await services.users.setRole(userId, 'admin', actor)
    await login()
    expect(noted).to.deep.equal(['al by password', 'al rejected by password', 'al by password'])
  })
})
