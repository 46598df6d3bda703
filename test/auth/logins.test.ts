import { expect } from 'chai'
import { Logins } from '../../src/auth/logins.js'
import { DatabaseError } from '../../src/db/errors.js'
import { actor, openTestServices, type TestServices } from '../support/services.js'

const HOME = '192.0.2.1'

describe('Logins', () => {
  let services: TestServices
  let logins: Logins
  let userId: number
  let errors: unknown[]
  let now: number

  beforeEach(async () => {
    services = await openTestServices()
    userId = (await services.users.create({ username: 'user1', password: 'password-1' }, actor)).id
    errors = []
    now = Date.now()
    const stores = { 'app-password': services.appPasswords, 'api-token': services.apiTokens }
    const onError = (error: unknown) => void errors.push(error)
    logins = new Logins(services.database, services.audit, stores, onError, () => now)
  })
  afterEach(() => services.close())

  async function noted(): Promise<object[]> {
    await logins.stop()
    const events = (await services.audit.list()).filter(({ type }) => type.startsWith('login.'))
    return events.map(({ type, objectId, objectName, address, details }) => ({
      ...{ type, objectId, objectName, address },
      ...details,
    }))
  }

  it('notes a login: who, how, from where, and when for the last time', async () => {
    const credential = { id: 3, name: 'laptop' }
    logins.succeeded({ userId, username: 'user1', via: 'app-password', credential }, HOME)
    const object = { objectId: userId, objectName: 'user1', address: HOME }
    expect(await noted()).to.deep.equal([
      { type: 'login.succeeded', ...object, via: 'app-password', credential: 'laptop' },
    ])
    const user = await services.users.get(userId)
    expect(user.lastLoginAt?.getTime()).to.equal(now)
    expect(user.updatedAt, 'nobody changed the user').to.deep.equal(user.createdAt)
  })

  it('notes a refusal, also of a name that nobody has, and not all of an endless one', async () => {
    logins.refused({ username: 'n'.repeat(1000), via: 'password', reason: 'rejected' }, HOME)
    expect(await noted()).to.deep.equal([
      {
        ...{ type: 'login.refused', objectId: 0, objectName: 'n'.repeat(64), address: HOME },
        ...{ via: 'password', reason: 'rejected' },
      },
    ])
  })

  it('notes whatever signs were typed as a name', async () => {
    for (const username of ['\0', "'; DROP TABLE users; --", '\ud800', 'a\r\nb', '$1 :name ?']) {
      logins.refused({ username, via: 'password', reason: 'rejected' }, HOME)
    }
    expect(await noted()).to.have.length(5)
    expect(errors).to.deep.equal([])
  })

  it('notes once a minute what was refused unseen, and each that was looked at', async () => {
    const attempt = { username: 'user1', via: 'password', reason: 'throttled' } as const
    for (let n = 0; n < 1000; n++) logins.refused(attempt, HOME, true)
    now += 60_001
    logins.refused(attempt, HOME, true)
    for (let n = 0; n < 3; n++) logins.refused({ ...attempt, reason: 'rejected' }, HOME)
    expect(await noted()).to.have.length(5)
  })

  it('notes the use of an app password once a minute', async () => {
    const { appPassword } = await services.appPasswords.create(userId, { name: 'laptop' }, actor)
    logins.used('app-password', appPassword.id, HOME)
    now += 30_000
    logins.used('app-password', appPassword.id, '192.0.2.2')
    await logins.stop()
    const [used] = await services.appPasswords.list(userId)
    expect([used?.lastUsedAt?.getTime(), used?.lastUsedAddress]).to.deep.equal([now - 30_000, HOME])
    now += 31_000
    logins.used('app-password', appPassword.id, '192.0.2.3')
    await logins.stop()
    expect((await services.appPasswords.list(userId))[0]?.lastUsedAddress).to.equal('192.0.2.3')
  })

  it('keeps what the database does not take now, says so, and writes it by the stop, in order', async () => {
    const transaction = services.database.transaction.bind(services.database)
    services.database.transaction = () => Promise.reject(new DatabaseError('DATABASE_BUSY', 'not now'))
    logins.refused({ username: 'first', via: 'password', reason: 'rejected' }, HOME)
    while (errors.length === 0) await new Promise(setImmediate)
    logins.refused({ username: 'second', via: 'password', reason: 'rejected' }, HOME)
    services.database.transaction = transaction
    const names = (await noted()).map((event) => (event as { objectName: string }).objectName)
    expect(names).to.deep.equal(['second', 'first'])
    expect(String(errors[0])).to.include('not now')
  })

  it('bounds what waits, and tells how much was lost', async () => {
    const transaction = services.database.transaction.bind(services.database)
    services.database.transaction = () => Promise.reject(new DatabaseError('DATABASE_BUSY', 'not now'))
    for (let n = 0; n < 5200; n++) logins.refused({ username: `u${n}`, via: 'password', reason: 'rejected' }, HOME)
    while (errors.length === 0) await new Promise(setImmediate)
    services.database.transaction = () => Promise.resolve() as Promise<never>
    await logins.stop()
    services.database.transaction = transaction
    expect(errors.map(String).join()).to.match(/\b1\d\d logins could not be noted/)
  })
})
