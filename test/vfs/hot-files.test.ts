import { expect } from 'chai'
import { EntityTags } from '../../src/vfs/entity-tags.js'
import { HotFiles } from '../../src/vfs/hot-files.js'
import type { Node } from '../../src/vfs/node.js'
import type { Tree } from '../../src/vfs/tree.js'
import { CALL, NO_LOCKS, bytes, put, TreeFixture, type Grant } from './tree-fixture.js'

const SECOND = 1000
const MINUTE = 60 * SECOND

describe('bytes in memory', () => {
  const key = { namespace: '1', path: '/f' }
  const entry = { name: 'f', type: 'file' as const, symlink: false, size: 5, modified: 1_700_000_000_000 }
  const node: Node = { ...entry, path: '/one/f', etag: new EntityTags().of(key, entry) }
  const seen = { entry, since: 0 }

  it('are not given out after a save through the gateway, even where time and size were set to what they had been', () => {
    const tags = new EntityTags()
    const hot = new HotFiles(1 << 20, tags, () => MINUTE)
    hot.keeper('alice', key, node, seen)?.(Buffer.from('hello'))
    expect(hot.bytesOf('alice', key, node)?.toString()).to.equal('hello')
    tags.saved(key, entry, { ...entry, modified: entry.modified + MINUTE })
    expect(tags.of(key, entry)).to.equal(node.etag)
    expect(hot.bytesOf('alice', key, node)).to.equal(undefined)
  })

  it('make room for others at the limit, and there are none where the limit is 0', () => {
    const tags = new EntityTags()
    const keep = (hot: HotFiles, path: string) =>
      hot.keeper('alice', { ...key, path }, node, { entry, since: 0 })?.(Buffer.from('hello'))
    const small = new HotFiles(1200, tags, () => MINUTE)
    for (const path of ['/a', '/b', '/c']) keep(small, path)
    expect(['/a', '/b', '/c'].map((path) => small.has('alice', { ...key, path }))).to.deep.equal([false, true, true])
    const none = new HotFiles(0, tags, () => MINUTE)
    keep(none, '/a')
    expect(none.has('alice', { ...key, path: '/a' })).to.equal(false)
  })
})

for (const opensFiles of [true, false]) {
  describe(`small files that are read again and again, ${opensFiles ? 'looked at and opened at once' : 'step by step'}`, () => {
    let fixture: TreeFixture
    let tree: Tree

    beforeEach(async () => {
      fixture = await TreeFixture.start({ one: { opensFiles } })
      tree = user('alice')
      write('hello')
      pass(10 * SECOND)
    })
    afterEach(() => fixture.stop())

    const user = (name: string, more: Partial<Grant> = {}) => fixture.tree(name, { server: 'one', ...more })
    const pass = (ms: number) => (fixture.now += ms)

    /** As somebody does who comes to the server by another way: in place, with the server's clock. */
    function write(content: string, path = '/f'): void {
      const { tree: disk } = fixture.server('one')
      disk.open(path, { exclusive: false, mode: undefined })
      disk.append(path, Buffer.from(content))
    }

    /** What a GET sends, and what the server was asked for it. */
    async function read(more: { by?: Tree; fresh?: boolean; range?: { start: number; end?: number } } = {}) {
      const { calls } = fixture.server('one')
      calls.length = 0
      let body = ''
      const { by = tree, fresh = false, range } = more
      await by.open(
        '/one/f',
        () => range,
        (_, read) => read(range, (chunk) => void (body += chunk.toString())),
        { ...CALL, fresh },
      )
      return { body, asked: calls.map(({ operation }) => operation).filter((operation) => operation !== 'connect') }
    }

    const fromMemory = (body: string) => ({ body, asked: [] })

    /** Read so often that it is in memory. */
    async function warm(): Promise<void> {
      await read()
      pass(2 * SECOND)
      await read()
    }

    it('come from memory while a listing shows that they are the same', async () => {
      await warm()
      expect(await read()).to.deep.equal(fromMemory('hello'))
    })

    it('are in memory after the first reading where they were listed some seconds before', async () => {
      await tree.list('/one', CALL)
      pass(2 * SECOND)
      await read()
      expect(await read()).to.deep.equal(fromMemory('hello'))
    })

    it('cost a look and no transfer when the listing is old, or the client wants to know it for sure', async () => {
      await warm()
      pass(MINUTE)
      expect(await read()).to.deep.equal({ body: 'hello', asked: ['stat'] })
      expect(await read({ fresh: true })).to.deep.equal({ body: 'hello', asked: ['stat'] })
    })

    it('are read anew when the look shows another version', async () => {
      await warm()
      pass(MINUTE)
      write('HELLO')
      const { body, asked } = await read()
      expect(body).to.equal('HELLO')
      expect(asked).to.include('read')
    })

    it('are not kept while another version could still get the same time', async () => {
      write('first')
      await read()
      pass(SECOND)
      await read()
      fixture.now -= SECOND
      write('other')
      pass(MINUTE)
      expect((await read()).body).to.equal('other')
    })

    it('are kept only after a minute where the time may be one of whole minutes', async () => {
      fixture.now = Math.ceil(fixture.now / MINUTE) * MINUTE
      write('hello')
      await read()
      pass(59 * SECOND)
      await read()
      expect((await read()).asked).to.include('read')
      pass(2 * SECOND)
      await read()
      expect(await read()).to.deep.equal(fromMemory('hello'))
    })

    it('show what anybody stores through the gateway at once, even where size and time stay the same', async () => {
      await warm()
      const { modified = 0 } = await tree.stat('/one/f', CALL)
      const bob = user('bob')
      await put(bob, '/one/f', 'HELLO')
      expect((await read()).body).to.equal('HELLO')
      await bob.setModified('/one/f', modified, NO_LOCKS, CALL)
      expect((await read()).body).to.equal('HELLO')
    })

    it('are gone when they are removed or replaced by a folder', async () => {
      await warm()
      await tree.remove('/one/f', NO_LOCKS, CALL)
      let failure: unknown
      await read().catch((error: unknown) => (failure = error))
      expect(failure).to.have.property('code', 'NOT_FOUND')
      await tree.makeDirectory('/one/f', NO_LOCKS, CALL)
      expect((await read()).body).to.equal('')
    })

    it('give a part of what is in memory, and a part is not taken for the whole', async () => {
      await tree.list('/one', CALL)
      pass(2 * SECOND)
      await read({ range: { start: 1, end: 2 } })
      expect((await read()).asked).to.include('read')
      expect(await read({ range: { start: 1, end: 2 } })).to.deep.equal(fromMemory('el'))
      expect(await read({ range: { start: 3 } })).to.deep.equal(fromMemory('lo'))
    })

    it('are each login’s own: who may not read one gets it from nobody’s memory', async () => {
      await warm()
      const { asked } = await read({ by: user('bob') })
      expect(asked).to.include('read')
    })

    it('that are large are read from the server each time', async () => {
      await tree.write('/one/f', bytes(Buffer.alloc(64 * 1024 + 1)), { ...NO_LOCKS, size: 64 * 1024 + 1 }, CALL)
      pass(MINUTE)
      await warm()
      expect((await read()).asked).to.include('read')
    })

    it('are not kept when reading them failed', async () => {
      await tree.list('/one', CALL)
      pass(2 * SECOND)
      const enough = new Error('enough')
      const broken = tree.open(
        '/one/f',
        () => undefined,
        (_, read) => read(undefined, () => Promise.reject(enough)),
        CALL,
      )
      expect(await broken.catch((error: unknown) => error)).to.equal(enough)
      expect((await read()).asked).to.include('read')
    })
  })
}
