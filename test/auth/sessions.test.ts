import { expect } from 'chai'
import type { Actor } from '../../src/audit/actor.js'
import { keyOf, Sessions, type SavedSession } from '../../src/auth/sessions.js'
import { UnknownObjectError } from '../../src/errors.js'
import { actor, audited, openTestServices, rejectionOf, type TestServices } from '../support/services.js'

const MINUTE = 60_000

describe('Sessions', () => {
  let services: TestServices
  let sessions: Sessions
  let userId: number
  let owner: Actor
  let now: number

  beforeEach(async () => {
    services = await openTestServices()
    userId = (await services.users.create({ username: 'user1', password: 'password-1' }, actor)).id
    owner = { kind: 'user', userId, username: 'user1', address: '192.0.2.1' }
    now = Date.now()
    sessions = new Sessions(services.database, services.audit, { perUser: 3, anonymous: 2 }, () => now)
  })
  afterEach(() => services.close())

  const save = (id: string, fields: Partial<SavedSession> = {}) =>
    sessions.save(id, {
      userId,
      data: '{"n":1}',
      address: '192.0.2.1',
      userAgent: 'Firefox',
      expiresAt: new Date(now + 30 * MINUTE),
      ...fields,
    })
  const seconds = async (id: string) => ((await sessions.load(id))?.lastSeenAt.getTime() ?? 0) - now

  it('gives back what was saved, until it expires', async () => {
    await save('secret-id')
    const { key, createdAt, lastSeenAt, ...rest } = (await sessions.load('secret-id')) ?? {}
    const expiresAt = new Date(now + 30 * MINUTE)
    expect(rest).to.deep.equal({ userId, data: '{"n":1}', address: '192.0.2.1', userAgent: 'Firefox', expiresAt })
    expect([createdAt?.getTime(), lastSeenAt?.getTime()]).to.deep.equal([now, now])
    expect(key).to.have.length(43)
    now += 30 * MINUTE
    expect(await sessions.load('secret-id')).to.equal(undefined)
  })

  it('keeps no id by which somebody could come in', async () => {
    await save('secret-id')
    const rows = await services.database.models.Session.findAll({ raw: true })
    expect(JSON.stringify([rows, await sessions.list(userId)])).to.not.include('secret-id')
    expect(await sessions.load(rows[0]?.key ?? ''), 'the key is none').to.equal(undefined)
  })

  it('bounds what browsers say of themselves', async () => {
    await save('a', { userAgent: 'x'.repeat(5000), address: 'y'.repeat(500) })
    const record = await sessions.load('a')
    expect([record?.userAgent.length, record?.address.length]).to.deep.equal([256, 64])
  })

  it('notes its use once a minute', async () => {
    await save('a')
    now += MINUTE / 2
    await sessions.touch('a', new Date(now + 30 * MINUTE))
    expect(await seconds('a')).to.equal(-MINUTE / 2)
    now += MINUTE
    await sessions.touch('a', new Date(now + 30 * MINUTE))
    expect(await seconds('a')).to.equal(0)
    expect((await sessions.load('a'))?.expiresAt.getTime()).to.equal(now + 30 * MINUTE)
  })

  it('lists the open ones of one user, the last used first', async () => {
    const other = await services.users.create({ username: 'other', password: 'password-1' }, actor)
    await save('a')
    now += 1
    await save('b', { userAgent: 'Safari' })
    await save('c', { userId: other.id })
    await save('d', { userId: undefined })
    await save('e', { expiresAt: new Date(now) })
    expect((await sessions.list(userId)).map(({ userAgent }) => userAgent)).to.deep.equal(['Safari', 'Firefox'])
  })

  it('ends one, and no request that is under way brings it back', async () => {
    await save('a')
    const [{ key = '' } = {}] = await sessions.list(userId)
    await sessions.end(userId, key, owner)
    await save('a')
    await sessions.touch('a', new Date(now + 30 * MINUTE))
    expect(await sessions.load('a')).to.equal(undefined)
    expect(await sessions.list(userId)).to.deep.equal([])
    expect(await audited(services, 1)).to.deep.equal(['user.sessions-ended user1'])
  })

  it('says that there is no such session, also of one that is somebody else’s or over', async () => {
    const other = await services.users.create({ username: 'other', password: 'password-1' }, actor)
    await save('a')
    const [{ key = '' } = {}] = await sessions.list(userId)
    for (const none of ['', 'x', '\0', "' OR '1'='1"]) {
      expect(await rejectionOf(sessions.end(userId, none, owner))).to.be.instanceOf(UnknownObjectError)
    }
    expect(await rejectionOf(sessions.end(other.id, key, actor))).to.be.instanceOf(UnknownObjectError)
    await sessions.end(userId, key, owner)
    expect(await rejectionOf(sessions.end(userId, key, owner))).to.be.instanceOf(UnknownObjectError)
  })

  it('ends all others', async () => {
    for (const id of ['a', 'b', 'c']) await save(id)
    expect(await sessions.endOthers(userId, 'b', owner)).to.equal(2)
    expect(await sessions.load('b')).to.not.equal(undefined)
    expect([await sessions.load('a'), await sessions.load('c')]).to.deep.equal([undefined, undefined])
    expect(await sessions.endOthers(userId, 'b', owner), 'and records nothing when there is none').to.equal(0)
    expect((await audited(services)).filter((line) => line.startsWith('user.sessions-ended'))).to.have.length(1)
  })

  it('ends by logout, for good, and says so in the audit log once', async () => {
    await save('a')
    await sessions.logOut('a', userId, owner)
    await sessions.logOut('a', userId, owner)
    await sessions.destroy('a')
    await save('a')
    expect(await sessions.load('a')).to.equal(undefined)
    expect(await audited(services, 2)).to.deep.equal(['login.ended user1', 'user.created user1'])
  })

  it('tells which of some were ended by somebody, and not which expired', async () => {
    for (const id of ['open', 'ended', 'expired']) await save(id)
    await sessions.destroy('ended')
    now += 31 * MINUTE
    const keys = ['open', 'ended', 'expired', 'never'].map(keyOf)
    expect([...(await sessions.ended(keys))]).to.deep.equal([keyOf('ended')])
  })

  it('ends the longest unused one of a user who has too many', async () => {
    for (const id of ['a', 'b', 'c', 'd']) {
      await save(id)
      now += MINUTE
    }
    expect(await sessions.load('a')).to.equal(undefined)
    expect(await sessions.list(userId)).to.have.length(3)
  })

  it('sweeps away what expired, what ended, and too many visitors', async () => {
    await save('old', { expiresAt: new Date(now + 1) })
    await save('ended')
    await sessions.destroy('ended')
    for (const id of ['v1', 'v2', 'v3']) {
      now += 1000
      await save(id, { userId: undefined })
    }
    expect(await sessions.sweep()).to.equal(2)
    expect(await sessions.load('v1')).to.equal(undefined)
    expect(await sessions.load('v3')).to.not.equal(undefined)
    now += 31 * MINUTE
    await sessions.sweep()
    expect(await services.database.models.Session.count()).to.equal(0)
  })

  it('sweeps by itself when visitors come in masses', async () => {
    sessions = new Sessions(services.database, services.audit, { anonymous: 2, sweepAfter: 10 }, () => now)
    for (let n = 0; n < 35; n++) await save(`visitor ${n}`, { userId: undefined })
    expect(await services.database.models.Session.count()).to.equal(2 + 5)
  })
})
