import { expect } from 'chai'
import { NEW_ACCOUNT } from '../../src/sync/managed-accounts.js'
import { actor } from '../support/services.js'
import { openSync, type SyncFixture } from './sync-fixture.js'

const USERS = 1000

describe('a plan for 1,000 users on four servers', function () {
  this.timeout(60_000)
  let fixture: SyncFixture

  beforeEach(async () => (fixture = await openSync()))
  afterEach(() => fixture.close())

  async function timed(what: string) {
    const began = Date.now()
    const { plan } = await fixture.sync.plan(undefined, actor)
    process.stdout.write(`      ${what}: ${Date.now() - began} ms\n`)
    return plan.flatMap(({ steps }) => steps)
  }

  it('names every step, and none once all of them are done', async () => {
    const { User, Permission, ManagedAccount } = fixture.services.database.models
    const servers = []
    for (const alias of ['alpha', 'beta', 'gamma', 'delta']) servers.push(await fixture.server(alias))
    const names = Array.from({ length: USERS }, (_, n) => `user${n}`)
    // Not by the services, which take a second for each hundred.
    const users = await User.bulkCreate(
      names.map((username, n) => ({ id: n + 1, username, passwordHash: 'x', role: 'user' as const })),
    )
    const granted = servers.flatMap(({ id: serverId }) =>
      users.map(({ id: userId }) => ({ userId, serverId, access: 'read-write' as const, managed: true })),
    )
    await Permission.bulkCreate(granted)
    expect(await timed('8,000 steps')).to.have.length(USERS * 4 * 2)

    const permissions = await Permission.findAll()
    const nameOf = new Map(users.map(({ id, username }) => [id, username]))
    await ManagedAccount.bulkCreate(
      permissions.map(({ id, userId, serverId, secretVersion }) => ({
        ...{ ...NEW_ACCOUNT, serverId, permissionId: id, secretVersion },
        ...{ name: nameOf.get(userId) ?? '', state: 'enabled', secretSetAt: new Date() },
      })),
    )
    for (const { memory } of servers) for (const name of names) memory.add(name)
    expect(await timed('nothing to do')).to.deep.equal([])
  })
})
