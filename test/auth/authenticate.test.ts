import { expect } from 'chai'
import { Authenticator, type AuthResult } from '../../src/auth/authenticate.js'
import { HashQueue } from '../../src/auth/hash-queue.js'
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
})
