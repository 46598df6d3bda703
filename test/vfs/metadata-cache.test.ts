import { expect } from 'chai'
import type { Entry } from '../../src/storage/driver.js'
import { MetadataCache, type CachedFolder } from '../../src/vfs/metadata-cache.js'

const file = (name: string, size = 1, modified = 5): Entry => ({ name, type: 'file', symlink: false, size, modified })
const folder = (name: string, modified = 5): Entry => ({ name, type: 'directory', symlink: false, size: 0, modified })

describe('the metadata cache', () => {
  let now: number
  let cache: MetadataCache
  const alice = { namespace: '1', accountKey: 'alice' }
  const bob = { namespace: '1', accountKey: 'bob' }
  const apart = { namespace: '1:carol', accountKey: 'carol' }

  beforeEach(() => {
    now = 1000
    cache = new MetadataCache({ ttl: 100, maxEntries: 1000 }, () => now)
  })

  const list = (view: typeof alice, path: string, ...entries: Entry[]) =>
    cache.list(view, path, () => Promise.resolve({ selfModified: 1, entries }))

  it('answers the stat of every child and "not there" for every other name from one listing', async () => {
    await list(alice, '/d', file('a'), folder('b'))
    expect(cache.entry(alice, '/d/a')).to.deep.equal(file('a'))
    expect(cache.entry(alice, '/d/zzz')).to.equal('absent')
    expect(cache.entry(alice, '/other/a')).to.equal(undefined)
  })

  it('does not show one login what another one listed', async () => {
    await list(alice, '/d', file('a'))
    expect(cache.folder(bob, '/d')).to.equal(undefined)
    expect(cache.entry(bob, '/d/a')).to.equal(undefined)
  })

  it('believes a listing only for its time', async () => {
    await list(alice, '/d', file('a'))
    now += 99
    expect(cache.folder(alice, '/d')).to.not.equal(undefined)
    now += 1
    expect(cache.folder(alice, '/d')).to.equal(undefined)
    expect(cache.entry(alice, '/d/a')).to.equal(undefined)
  })

  it('forgets what nobody has asked for since a minute, and tells which folders', async () => {
    const gone: CachedFolder[] = []
    const cache = new MetadataCache(
      { ttl: 100, maxEntries: 1000 },
      () => now,
      (folder) => gone.push(folder),
    )
    const list = (path: string) =>
      cache.list(alice, path, () => Promise.resolve({ selfModified: 1, entries: [file('a')] }))
    const old = await list('/old')
    cache.learn(alice, '/elsewhere/b', file('b'), cache.writes(alice))
    now += 60_099
    await list('/new')
    expect(cache.remembered(alice, '/old/a')?.entry).to.deep.equal(file('a'))
    now += 1
    const first = await list('/newer')
    expect(cache.remembered(alice, '/old/a')).to.equal(undefined)
    expect(cache.remembered(alice, '/elsewhere/b')).to.equal(undefined)
    expect(cache.remembered(alice, '/new/a')?.entry).to.deep.equal(file('a'))
    await list('/newer')
    expect(gone).to.deep.equal([old, first])
    expect(cache.stats.folders).to.equal(2)
  })

  it('asks once for all who ask at the same time', async () => {
    let calls = 0
    let answer!: (listing: { selfModified: number; entries: Entry[] }) => void
    const load = () => {
      calls++
      return new Promise<{ selfModified: number; entries: Entry[] }>((resolve) => (answer = resolve))
    }
    const both = [cache.list(alice, '/d', load), cache.list(alice, '/d', load)]
    answer({ selfModified: 1, entries: [file('a')] })
    const [one, two] = await Promise.all(both)
    expect(calls).to.equal(1)
    expect(one).to.equal(two)
  })

  it('shows a write at once to every login of the same namespace', async () => {
    await list(alice, '/d', file('a'))
    await list(bob, '/d', file('a'))
    await list(apart, '/d', file('a'))
    cache.written({ namespace: '1', path: '/d/a' }, file('a', 9))
    cache.written({ namespace: '1', path: '/d/new' }, file('new'))
    cache.removed({ namespace: '1', path: '/d/gone' }, false)
    for (const view of [alice, bob]) {
      expect(cache.entry(view, '/d/a')).to.have.property('size', 9)
      expect(cache.entry(view, '/d/new')).to.have.property('name', 'new')
    }
    expect(cache.entry(apart, '/d/a')).to.have.property('size', 1)
    expect(cache.entry(apart, '/d/new')).to.equal('absent')
  })

  it('does not keep a listing that a write overtook', async () => {
    let answer!: (listing: { selfModified: number; entries: Entry[] }) => void
    const old = cache.list(alice, '/d', () => new Promise((resolve) => (answer = resolve)))
    cache.written({ namespace: '1', path: '/d/new' }, file('new'))
    let asked = false
    const fresh = cache.list(alice, '/d', () => {
      asked = true
      return Promise.resolve({ selfModified: 1, entries: [file('new')] })
    })
    answer({ selfModified: 1, entries: [] })
    await Promise.all([old, fresh])
    expect(asked, 'a request after the write does not join the old listing').to.equal(true)
    expect(cache.entry(alice, '/d/new')).to.have.property('name', 'new')
  })

  it('forgets what lay below a removed folder, and nothing beside it', async () => {
    await list(alice, '/d', file('a'))
    await list(alice, '/d/e', file('b'))
    await list(alice, '/dx', file('c'))
    cache.removed({ namespace: '1', path: '/d' }, true)
    expect(cache.folder(alice, '/d')).to.equal(undefined)
    expect(cache.folder(alice, '/d/e')).to.equal(undefined)
    expect(cache.folder(alice, '/dx')).to.not.equal(undefined)
  })

  it('moves the time of a folder when a member comes or goes', async () => {
    await list(alice, '/', folder('d'))
    now = 1050
    cache.written({ namespace: '1', path: '/d/new' }, file('new'))
    expect(cache.entry(alice, '/d')).to.have.property('modified', 1050)
  })

  it('gives a folder whose time nobody tells one that moves only when its members change', async () => {
    const load =
      (...entries: Entry[]) =>
      () =>
        Promise.resolve({ selfModified: undefined, entries })
    const first = (await cache.list(alice, '/', load(file('a', 1, 700)))).selfModified
    expect(first).to.equal(700)
    now = 2000
    expect((await cache.list(alice, '/', load(file('a', 1, 700)))).selfModified).to.equal(700)
    expect((await cache.list(alice, '/', load())).selfModified).to.equal(2000)
  })

  it('passes a failed listing on to all who waited, and asks again afterwards', async () => {
    const failing = () => Promise.reject(new Error('down'))
    const results = await Promise.allSettled([cache.list(alice, '/d', failing), cache.list(alice, '/d', failing)])
    expect(results.map((result) => result.status)).to.deep.equal(['rejected', 'rejected'])
    expect((await list(alice, '/d', file('a'))).entries.size).to.equal(1)
  })
})
