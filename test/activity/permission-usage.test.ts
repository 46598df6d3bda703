import { expect } from 'chai'
import { PermissionUsage } from '../../src/activity/permission-usage.js'
import { createLogger } from '../../src/logger.js'
import type { ConnectionEvent } from '../../src/storage/connection-events.js'
import { StorageError } from '../../src/storage/errors.js'
import { operationMount, treeOperation } from '../support/tree-operation.js'
import { actor, openTestServices, type TestServices } from '../support/services.js'

const OK = { outcome: 'ok', duration: 1 } as const
const log = createLogger({ level: 'silent' })

describe('PermissionUsage', () => {
  let services: TestServices
  let usage: PermissionUsage
  let id: number
  let now: number
  let saves: number

  beforeEach(async () => {
    services = await openTestServices()
    const user = await services.users.create({ username: 'anna', password: 'password-1' }, actor)
    const server = await services.servers.create({ alias: 's2', protocol: 'ftp', host: 'h' }, actor)
    id = (await services.permissions.grant({ userId: user.id, serverId: server.id }, actor)).id
    now = Date.UTC(2026, 0, 1)
    saves = 0
    usage = newUsage()
  })
  afterEach(async () => {
    await usage.stop()
    await services.close()
  })

  function newUsage(): PermissionUsage {
    const { usage: store } = services.database
    return new PermissionUsage({
      store: {
        save: async (changes) => {
          saves++
          await store.save(changes)
        },
        of: (ids) => store.of(ids),
      },
      log,
      now: () => now,
      saveEvery: 60_000,
      tellAfter: 60_000,
    })
  }

  const operation = () => treeOperation({ mount: operationMount('s2', id) })
  const about = () => ({ serverId: 1, alias: 's2', accountKey: `key ${id}`, took: 5 })
  const rejected = (): ConnectionEvent => ({
    ...about(),
    kind: 'connect-failed',
    error: new StorageError('LOGIN_REJECTED', 'no'),
    blames: 'secret',
    state: { state: 'up', since: 0 },
  })

  it('is known at once, and after a restart', async () => {
    usage.ended(operation(), OK)
    expect(await usage.of([id, 99])).to.deep.equal(new Map([[id, { lastUsedAt: new Date(now) }]]))
    await usage.stop()
    usage = newUsage()
    expect((await usage.of([id])).get(id)).to.deep.equal({ lastUsedAt: new Date(now) })
  })

  it('is written in batches: a thousand requests, one write', async () => {
    for (let index = 0; index < 1000; index++) {
      now++
      usage.ended(operation(), OK)
    }
    await usage.stop()
    expect(saves).to.equal(1)
  })

  it('counts only what worked', async () => {
    usage.ended(operation(), { outcome: 'failed', code: 'TIMED_OUT', duration: 1 })
    expect(await usage.of([id])).to.deep.equal(new Map())
  })

  it('says that the server refused the login until one works', async () => {
    usage.started(operation())
    usage.onConnection(rejected())
    expect((await usage.of([id])).get(id)).to.deep.equal({ loginRejectedAt: new Date(now) })
    await usage.stop()
    usage = newUsage()
    expect((await usage.of([id])).get(id)?.loginRejectedAt).to.deep.equal(new Date(now))
    usage.started(operation())
    usage.onConnection({ ...about(), kind: 'connected' })
    expect((await usage.of([id])).get(id)).to.deep.equal({})
    await usage.stop()
    expect((await services.database.usage.of([id])).get(id)).to.deep.equal({})
  })

  it('does not take a server that is down for a refused login', async () => {
    usage.started(operation())
    const error = new StorageError('UNREACHABLE', 'no')
    usage.onConnection({ ...about(), kind: 'connect-failed', error, blames: 'server', state: { state: 'unknown' } })
    expect(await usage.of([id])).to.deep.equal(new Map())
  })

  it('forgets the refusal when the credentials are replaced', async () => {
    usage.started(operation())
    usage.onConnection(rejected())
    await usage.stop()
    await services.permissions.setCredentials(id, { password: 'new' }, actor)
    expect((await services.database.usage.of([id])).get(id)).to.deep.equal({})
  })

  it('passes over a permission that is gone, and goes with it', async () => {
    usage.ended(operation(), OK)
    usage.ended(treeOperation({ mount: operationMount('s9', 4711) }), OK)
    await usage.stop()
    expect([...(await services.database.usage.of([id, 4711])).keys()]).to.deep.equal([id])
    await services.permissions.revoke(id, actor)
    expect(await services.database.usage.of([id])).to.deep.equal(new Map())
  })

  it('keeps what could not be written, and writes it later', async () => {
    let broken = true
    const { usage: store } = services.database
    const patient = new PermissionUsage({
      store: {
        save: (changes) => (broken ? Promise.reject(new Error('locked')) : store.save(changes)),
        of: (ids) => store.of(ids),
      },
      log,
      now: () => now,
      saveEvery: 60_000,
    })
    patient.ended(operation(), OK)
    await patient.stop()
    broken = false
    expect((await patient.of([id])).get(id)).to.deep.equal({ lastUsedAt: new Date(now) })
    await patient.stop()
    expect((await store.of([id])).get(id)).to.deep.equal({ lastUsedAt: new Date(now) })
  })
})
