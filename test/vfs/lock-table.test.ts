import { expect } from 'chai'
import { LockTable, type NewLock } from '../../src/vfs/lock-table.js'
import { MemoryLockStore } from './memory-stores.js'

const ALICE = 1
const BOB = 2

describe('the lock table', () => {
  let now: number
  let store: MemoryLockStore
  let table: LockTable

  beforeEach(() => {
    now = 1_000_000
    store = new MemoryLockStore(() => now)
    table = newTable()
  })

  function newTable() {
    return new LockTable(store, { maxSeconds: 600, maxPerUser: 3 }, () => now)
  }

  function wanted(path: string, more: Partial<NewLock> = {}): NewLock {
    return { namespace: '1', path, depth: '0', scope: 'exclusive', userId: ALICE, ownerXml: '', seconds: 60, ...more }
  }

  const at = (path: string, namespace = '1') => ({ namespace, path })
  const none: ReadonlySet<string> = new Set()
  const roots = (locks: { path: string }[]) => locks.map((lock) => lock.path)

  it('lets a change pass only with a token of the user’s own', async () => {
    const lock = await table.create(wanted('/d/f'))
    expect(roots(table.blocking(at('/d/f'), 'modify', none, ALICE))).to.deep.equal(['/d/f'])
    expect(table.blocking(at('/d/f'), 'modify', new Set([lock.token]), ALICE)).to.deep.equal([])
    expect(roots(table.blocking(at('/d/f'), 'modify', new Set([lock.token]), BOB))).to.deep.equal(['/d/f'])
    expect(table.blocking(at('/d/f', '2'), 'modify', none, BOB), 'another server').to.deep.equal([])
  })

  it('gives up the locks of users who cannot log in any more, also in the store, and of nobody else', async () => {
    await table.create(wanted('/d/alice'))
    await table.create(wanted('/d/bob', { userId: BOB }))
    await table.releaseFormer()
    expect(table.size).to.equal(2)
    store.gone.add(ALICE)
    await table.releaseFormer()
    expect(table.blocking(at('/d/alice'), 'modify', none, BOB)).to.deep.equal([])
    expect(roots(table.blocking(at('/d/bob'), 'modify', none, ALICE))).to.deep.equal(['/d/bob'])
    expect([...store.rows.values()].map(({ path }) => path)).to.deep.equal(['/d/bob'])
  })

  it('protects the members of a folder locked with depth infinity, and only the list of members with depth 0', async () => {
    await table.create(wanted('/deep', { depth: 'infinity' }))
    await table.create(wanted('/flat', { depth: '0' }))
    expect(roots(table.blocking(at('/deep/a/b'), 'modify', none, BOB))).to.deep.equal(['/deep'])
    expect(table.blocking(at('/flat/a'), 'modify', none, BOB)).to.deep.equal([])
    expect(roots(table.blocking(at('/flat/a'), 'add', none, BOB))).to.deep.equal(['/flat'])
    expect(table.blocking(at('/flat/a/b'), 'add', none, BOB)).to.deep.equal([])
  })

  it('keeps a folder with a locked member from being removed', async () => {
    await table.create(wanted('/d/e/f'))
    expect(roots(table.blocking(at('/d'), 'remove', none, BOB))).to.deep.equal(['/d/e/f'])
    expect(table.blocking(at('/d/e/fx'), 'remove', none, BOB)).to.deep.equal([])
  })

  it('opens a resource with several shared locks to any one of them', async () => {
    const mine = await table.create(wanted('/f', { scope: 'shared' }))
    await table.create(wanted('/f', { scope: 'shared', userId: BOB }))
    expect(table.blocking(at('/f'), 'modify', new Set([mine.token]), ALICE)).to.deep.equal([])
    expect(table.blocking(at('/f'), 'modify', none, ALICE)).to.have.length(2)
  })

  it('sees conflicts above, below and beside', async () => {
    await table.create(wanted('/a/b', { depth: 'infinity', scope: 'shared' }))
    const ask = (path: string, depth: '0' | 'infinity', scope: 'exclusive' | 'shared') =>
      table.conflicting({ ...at(path), depth, scope }).length
    expect(ask('/a/b/c', '0', 'exclusive')).to.equal(1)
    expect(ask('/a/b/c', '0', 'shared')).to.equal(0)
    expect(ask('/a', '0', 'exclusive')).to.equal(0)
    expect(ask('/a', 'infinity', 'exclusive')).to.equal(1)
    expect(ask('/', 'infinity', 'shared')).to.equal(0)
  })

  it('survives a restart and ends in its time', async () => {
    const lock = await table.create(wanted('/f', { seconds: 60 }))
    table = newTable()
    await table.load()
    expect(table.secondsLeft(table.find(at('/f'), lock.token))).to.equal(60)
    now += 59_000
    expect(table.covering(at('/f'))).to.have.length(1)
    now += 1_000
    expect(table.covering(at('/f'))).to.have.length(0)
    expect(table.conflicting({ ...at('/f'), depth: '0', scope: 'exclusive' })).to.deep.equal([])
    await table.sweep()
    expect(store.rows.size).to.equal(0)
  })

  it('goes by the database’s clock', async () => {
    const lock = await table.create(wanted('/f', { seconds: 60 }))
    now -= 3_600_000
    const late = new LockTable(new SkewedStore(store, 3_600_000), { maxSeconds: 600, maxPerUser: 3 }, () => now)
    await late.load()
    expect(late.secondsLeft(late.find(at('/f'), lock.token))).to.equal(60)
  })

  it('grants no more seconds than allowed, on creation and on refresh', async () => {
    const lock = await table.create(wanted('/f', { seconds: 1e9 }))
    expect(table.secondsLeft(lock)).to.equal(600)
    now += 100_000
    expect(table.secondsLeft(await table.refresh(lock, undefined))).to.equal(600)
    expect(store.rows.get(lock.token)?.expiresAt).to.equal(now + 600_000)
  })

  it('finds a lock from a member, and not from beside', async () => {
    const lock = await table.create(wanted('/d', { depth: 'infinity' }))
    expect(table.find(at('/d/x'), lock.token).token).to.equal(lock.token)
    expect(() => table.find(at('/e'), lock.token))
      .to.throw()
      .with.property('code', 'NO_SUCH_LOCK')
    expect(() => table.find(at('/d'), 'opaquelocktoken:other'))
      .to.throw()
      .with.property('code', 'NO_SUCH_LOCK')
  })

  it('loses the locks of what is removed, with everything below', async () => {
    await table.create(wanted('/d'))
    await table.create(wanted('/d/e'))
    await table.create(wanted('/dx'))
    await table.removeWithin(at('/d'))
    expect([...store.rows.values()].map((row) => row.path)).to.deep.equal(['/dx'])
  })

  it('bounds the locks of one user and lets others go on', async () => {
    for (const name of ['/a', '/b', '/c']) await table.create(wanted(name))
    const refused = await table.create(wanted('/d')).catch((error: unknown) => error)
    expect(refused).to.have.property('code', 'TOO_MANY_LOCKS')
    await table.create(wanted('/d', { userId: BOB }))
  })

  it('holds no lock that the store refused', async () => {
    store.insert = () => Promise.reject(new Error('disk full'))
    const refused = await table.create(wanted('/f')).catch((error: unknown) => error)
    expect(refused).to.have.property('message', 'disk full')
    expect(table.covering(at('/f'))).to.deep.equal([])
  })
})

/** A store whose database runs ahead of the gateway's clock. */
class SkewedStore extends MemoryLockStore {
  constructor(
    private readonly inner: MemoryLockStore,
    private readonly ahead: number,
  ) {
    super()
  }

  override async load() {
    const { locks, now } = await this.inner.load()
    return { locks, now: now + this.ahead }
  }
}
