import { expect } from 'chai'
import type { LockRecord } from '../../../src/vfs/ports.js'
import { actor, openTestServices, type TestServices } from '../../support/services.js'

function lock(token: string, expiresAt: number): LockRecord {
  const place = { namespace: '1:user', path: `/a%_'"/${token}` }
  return { ...place, token, depth: 'infinity', scope: 'shared', userId: 3, ownerXml: '<D:href>x</D:href>', expiresAt }
}

describe('DatabaseLockStore', () => {
  let services: TestServices

  beforeEach(async () => (services = await openTestServices()))
  afterEach(() => services.close())

  it('gives back what was stored, and drops what has expired', async () => {
    const { locks } = services.database
    const { now } = await locks.load()
    const alive = lock('opaquelocktoken:1', now + 60_000)
    await locks.insert(alive)
    await locks.insert(lock('opaquelocktoken:2', now - 1))
    expect((await locks.load()).locks).to.deep.equal([alive])
    expect(await services.database.models.DavLock.count()).to.equal(1)
  })

  it('knows which holders are disabled or gone', async () => {
    const { users, database } = services
    const password = 'password-1'
    const { id: active } = await users.create({ username: 'active', password }, actor)
    const { id: disabled } = await users.create({ username: 'disabled', password }, actor)
    await users.setDisabled(disabled, true, actor)
    expect([...(await database.locks.former([active, disabled, 4711]))]).to.have.members([disabled, 4711])
  })

  it('refreshes and deletes by token', async () => {
    const { locks } = services.database
    const { now } = await locks.load()
    for (const token of ['1', '2', '3']) await locks.insert(lock(token, now + 60_000))
    await locks.refresh('2', now + 90_000)
    await locks.delete(['1', '3', 'none'])
    expect((await locks.load()).locks).to.deep.equal([lock('2', now + 90_000)])
    await locks.delete([])
  })
})
