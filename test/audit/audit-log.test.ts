import { expect } from 'chai'
import type { AuditFilter } from '../../src/audit/audit-search.js'
import type { UnchainedEvent } from '../../src/db/stores/audit-store.js'
import { actor, openTestServices, type TestServices } from '../support/services.js'

const DAY = 24 * 3_600_000
const START = Date.UTC(2026, 0, 1)

const EVENTS: Partial<UnchainedEvent>[] = [
  { type: 'user.created', actorKind: 'cli', actorId: null, actorName: 'root', objectName: 'anna', objectId: 7 },
  { type: 'file.read', details: '{"path":"/s2/Quarterly \\"Report\\".pdf"}', requestId: 'abc123' },
  { type: 'file.written', outcome: 'failed', details: '{"path":"/s2/100%_done","code":"NO_SPACE"}' },
  { type: 'file.removed', outcome: 'refused', actorName: 'anna (laptop)', actorKind: 'token', address: '198.51.100.7' },
  { type: 'file.read', actorId: 2, actorName: 'ann', objectName: 's3', objectId: 3 },
]

describe('AuditLog', () => {
  let services: TestServices

  beforeEach(async () => {
    services = await openTestServices()
    await services.database.audit.append(
      EVENTS.map((event, index) => ({
        at: new Date(START + index * DAY),
        type: 'file.read',
        outcome: 'ok',
        actorKind: 'user',
        actorId: 1,
        actorName: 'anna',
        address: '192.0.2.1',
        objectId: 2,
        objectName: 's2',
        requestId: null,
        details: '{}',
        ...event,
      })),
    )
  })
  afterEach(() => services.close())

  const found = async (filter: AuditFilter) => (await services.audit.search(filter)).items.map(({ id }) => id)

  const filters: [filter: AuditFilter, ids: number[]][] = [
    [{}, [5, 4, 3, 2, 1]],
    [{ actor: 'anna' }, [4, 3, 2]],
    [{ actor: 'anna (laptop)' }, [4]],
    [{ actor: 'root' }, [1]],
    [{ actorId: 2 }, [5]],
    [{ type: 'file.' }, [5, 4, 3, 2]],
    [{ type: 'file.read' }, [5, 2]],
    [{ type: 'file.re' }, [5, 4, 2]],
    [{ object: 's3' }, [5]],
    [{ objectId: 7 }, [1]],
    [{ outcome: 'refused' }, [4]],
    [{ from: new Date(START + DAY), to: new Date(START + 3 * DAY) }, [3, 2]],
    [{ text: 'quarterly' }, [2]],
    [{ text: '"Report"' }, [2]],
    [{ text: '100%_d' }, [3]],
    [{ text: '1__%' }, []],
    [{ text: 'ABC123' }, [2]],
    [{ text: '198.51' }, [4]],
    [{ text: `' OR 1=1 --` }, []],
    [{ type: 'file.', outcome: 'ok', actor: 'anna' }, [2]],
  ]
  for (const [filter, ids] of filters) {
    it(`finds ${JSON.stringify(ids)} by ${JSON.stringify(filter)}`, async () => {
      expect(await found(filter)).to.deep.equal(ids)
    })
  }

  it('gives pages by the last number, which new events do not shift', async () => {
    const first = await services.audit.search({ type: 'file.', limit: 2 })
    expect(first.items.map(({ id }) => id)).to.deep.equal([5, 4])
    await services.users.create({ username: 'bert', password: 'password-1' }, actor)
    const second = await services.audit.search({ type: 'file.', limit: 2, before: first.next })
    expect(second.items.map(({ id }) => id)).to.deep.equal([3, 2])
    expect(second.next).to.equal(undefined)
  })

  it('gives all that fit, the oldest first, however many there are', async () => {
    const [event] = await services.database.audit.after(1, 1)
    if (!event) throw new Error('no event')
    await services.database.audit.append(Array.from({ length: 2500 }, () => event))
    const ids: number[] = []
    for await (const { id } of services.audit.entries({ type: 'file.read' })) ids.push(id)
    expect([ids.length, ids[0], ids.at(-1)]).to.deep.equal([2502, 2, 2505])
  })

  it('records what changed with the values before and after, and no secret', async () => {
    const { servers, permissions, users, audit } = services
    const user = await users.create({ username: 'bert', password: 'password-1' }, actor)
    const server = await servers.create(
      { alias: 's1', protocol: 'ftp', host: 'old.example', adminUser: 'root', adminPassword: 'geheim' },
      actor,
    )
    await servers.update(server.id, { host: 'new.example', adminPassword: 'anderes' }, actor)
    const permission = await permissions.grant(
      { userId: user.id, serverId: server.id, credentials: { password: 'geheim' } },
      actor,
    )
    await permissions.update(permission.id, { access: 'read-only', endsAt: new Date(START).toISOString() }, actor)
    await permissions.setCredentials(permission.id, { password: 'anderes' }, actor)
    await permissions.revoke(permission.id, actor)
    await servers.remove(server.id, actor)
    const details = (await audit.list(8)).map(({ type, details }) => [type, details])
    expect(JSON.stringify(details)).to.not.match(/geheim|anderes/)
    const byType = Object.fromEntries(details) as Record<string, object>
    expect(byType['server.updated']).to.deep.equal({
      fields: ['host', 'adminPassword'],
      before: { host: 'old.example' },
      after: { host: 'new.example' },
    })
    expect(byType['permission.updated']).to.deep.equal({
      fields: ['access', 'endsAt'],
      before: { access: 'read-write', endsAt: null },
      after: { access: 'read-only', endsAt: new Date(START).toISOString() },
    })
    expect(byType['permission.revoked']).to.have.nested.property('before.access', 'read-only')
    expect(byType['server.removed']).to.have.nested.property('before.host', 'new.example')
  })
})
