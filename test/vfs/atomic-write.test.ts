import { expect } from 'chai'
import { StorageError } from '../../src/storage/errors.js'
import type { MemoryServer } from '../../src/storage/memory/memory-driver.js'
import type { Tree } from '../../src/vfs/tree.js'
import { bytes, CALL, codeOf, get, NO_LOCKS, put, TreeFixture } from './tree-fixture.js'

const OLD = 'old content'
const NEW = 'the new content, which is longer'

for (const renameReplaces of [true, false]) {
  describe(`an upload to a server that ${renameReplaces ? 'renames over files' : 'refuses to rename over files'}`, () => {
    let fixture: TreeFixture
    let server: MemoryServer
    let tree: Tree

    beforeEach(async () => {
      fixture = await TreeFixture.start({ one: { renameReplaces } })
      server = fixture.server('one')
      tree = fixture.tree('alice', { server: 'one' })
      await put(tree, '/one/f', OLD)
      await fixture.restart()
      tree = fixture.tree('alice', { server: 'one' })
      server.calls.length = 0
    })

    afterEach(() => fixture.stop())

    function assertNothingLeft() {
      expect(server.tree.list('/').entries.map((entry) => entry.name)).to.deep.equal(['f'])
      expect([...fixture.journal.rows.values()]).to.deep.equal([])
    }

    /** A row stays for as long as the server may still do what it did not answer. */
    async function assertNothingLeftIn(current: TreeFixture) {
      expect(server.tree.list('/').entries.map((entry) => entry.name)).to.deep.equal(['f'])
      const written = current.now
      current.now += 3_600_000
      await current.restart()
      await settled(current)
      assertNothingLeft()
      current.now = written
      await current.restart()
      tree = current.tree('alice', { server: 'one' })
    }

    it('appears under its name whole, with the old one’s mode', async () => {
      server.tree.setMode('/f', 0o600)
      await put(tree, '/one/f', NEW)
      expect(server.tree.stat('/f')).to.include({ size: NEW.length, mode: 0o600 })
      assertNothingLeft()
    })

    it('writes the journal before the first byte', async () => {
      const order: string[] = []
      const begin = fixture.journal.begin.bind(fixture.journal)
      fixture.journal.begin = async (upload) => {
        const id = await begin(upload)
        order.push('journal')
        return id
      }
      server.before = ({ operation }) => void (operation === 'write' && order.push('write'))
      await put(tree, '/one/f', NEW)
      expect(order).to.deep.equal(['journal', 'write'])
    })

    it('takes the commands that it needs and no more', async () => {
      await put(tree, '/one/f', NEW)
      const swap = 'stat rename rename stat removeFile'
      const commands = server.calls.map((call) => call.operation).filter((operation) => operation !== 'connect')
      expect(commands.join(' ')).to.equal(`stat write stat ${renameReplaces ? 'rename' : swap}`)
    })

    it('never takes the place of a folder that came behind a cached listing', async () => {
      await tree.list('/one', CALL)
      server.tree.makeDirectory('/g')
      server.tree.open('/g/precious', { exclusive: true, mode: undefined })
      expect(await codeOf(put(tree, '/one/g', NEW))).to.equal('IS_COLLECTION')

      await tree.list('/one', CALL)
      server.tree.removeFile('/f')
      server.tree.makeDirectory('/f')
      server.tree.open('/f/precious', { exclusive: true, mode: undefined })
      expect(await codeOf(put(tree, '/one/f', NEW))).to.equal('IS_COLLECTION')
      for (const folder of ['/f', '/g']) {
        expect(server.tree.list(folder).entries.map((entry) => entry.name)).to.deep.equal(['precious'])
      }
      expect([...fixture.journal.rows.values()]).to.deep.equal([])
    })

    it('takes a name that became free behind a cached listing', async () => {
      await tree.list('/one', CALL)
      server.tree.removeFile('/f')
      await put(tree, '/one/f', NEW)
      expect(server.tree.content('/f').toString()).to.equal(NEW)
      assertNothingLeft()
    })

    for (const [title, source, size] of [
      ['ends before its announced size', () => bytes('short'), NEW.length],
      ['is longer than announced', () => bytes(NEW, NEW), NEW.length],
      ['breaks off', () => breaking('half'), undefined],
    ] as const) {
      it(`leaves the old file whole when the body ${title}`, async () => {
        expect(await codeOf(tree.write('/one/f', source(), { ...NO_LOCKS, size }, CALL))).to.not.equal('no error')
        expect(await get(tree, '/one/f')).to.equal(OLD)
        assertNothingLeft()
      })
    }

    /** What happens to the n-th call of an upload, before the server does it or after. */
    const faults: Record<string, (fail: () => void) => void | Promise<void>> = {
      'is refused': () => {
        throw new StorageError('DENIED', 'no', { inStep: true })
      },
      'finds the disk full': () => {
        throw new StorageError('NO_SPACE', 'full', { inStep: true })
      },
      'loses the connection': (drop) => drop(),
    }

    for (const [fault, hit] of Object.entries(faults)) {
      for (const moment of fault === 'loses the connection' ? (['before', 'after'] as const) : (['before'] as const)) {
        it(`leaves one whole version and nothing else when any one call ${fault} ${moment} it is done`, async () => {
          for (let n = 1; ; n++) {
            let calls = 0
            let failed = false
            server[moment] = ({ operation }) => {
              if (operation === 'connect' || ++calls !== n || failed) return
              failed = true
              return hit(() => server.dropAll())
            }
            const code = await codeOf(put(tree, '/one/f', NEW))
            server[moment] = () => {}
            if (!failed) break
            await fixture.trees.stop()
            await fixture.restart()
            await settled(fixture)
            tree = fixture.tree('alice', { server: 'one' })
            const content = await get(tree, '/one/f')
            if (code === 'no error') expect(content, `call ${n}`).to.equal(NEW)
            else expect([OLD, NEW], `call ${n}: ${String(code)}`).to.include(content)
            await assertNothingLeftIn(fixture)
            server.tree.open('/f', { exclusive: false, mode: undefined })
            server.tree.append('/f', Buffer.from(OLD))
          }
        })
      }
    }

    it('is cleaned up by the next process after the end of this one at any call', async () => {
      for (let n = 1; ; n++) {
        let calls = 0
        let dead = false
        server.before = ({ operation }) => {
          if (operation !== 'connect' && ++calls === n) dead = true
          return dead ? new Promise<void>(() => {}) : undefined
        }
        // A process that ends: nothing that it waits for ever comes, and its journal writes no more.
        let over = false
        const upload = codeOf(put(tree, '/one/f', NEW)).finally(() => (over = true))
        await untilTrue(() => dead || over)
        if (!dead) {
          server.before = () => {}
          break
        }
        const rows = new Map(fixture.journal.rows)
        server.before = () => {}
        server.dropAll()
        await upload
        await settled(fixture)
        fixture.journal.rows.clear()
        for (const [id, row] of rows) fixture.journal.rows.set(id, row)
        await fixture.restart()
        await settled(fixture)
        tree = fixture.tree('alice', { server: 'one' })
        expect([OLD, NEW], `call ${n}`).to.include(await get(tree, '/one/f'))
        await assertNothingLeftIn(fixture)
        server.tree.open('/f', { exclusive: false, mode: undefined })
        server.tree.append('/f', Buffer.from(OLD))
      }
    })
  })
}

describe('an upload', () => {
  let fixture: TreeFixture
  let tree: Tree

  beforeEach(async () => {
    fixture = await TreeFixture.start({ one: {}, full: { capacity: 1000 } })
    tree = fixture.tree('alice', { server: 'one' }, { server: 'full' })
    await put(tree, '/one/f', OLD)
  })

  afterEach(() => fixture.stop())

  it('judges a conditional request again just before the rename', async () => {
    const server = fixture.server('one')
    const { etag } = await tree.stat('/one/f', CALL)
    server.beforeChunk = () => {
      server.tree.append('/f', Buffer.from('changed by somebody on the server'))
    }
    const check = (current: { etag: string | undefined } | undefined) => {
      if (current?.etag !== etag) throw new StorageError('DENIED', 'precondition', { inStep: true })
    }
    expect(await codeOf(put(tree, '/one/f', NEW, { check, conditional: true }))).to.equal('DENIED')
    expect(server.tree.content('/f').toString()).to.equal(OLD + 'changed by somebody on the server')
  })

  it('judges a conditional request also where the login has only one connection', async () => {
    const access = fixture.access('bob', { server: 'one' })
    const mounts = access.mounts.map(({ account, ...mount }) => {
      const limits = { maxConnections: 1, maxConnectionsPerAccount: 1 }
      return { ...mount, account: { ...account, key: 'single', server: { ...account.server, limits } } }
    })
    const single = fixture.trees.treeOf({ ...access, mounts })
    await put(single, '/one/f', NEW, { conditional: true, check: () => {} })
    expect(await get(single, '/one/f')).to.equal(NEW)
  })

  it('goes on where the server does not tell its free space', async () => {
    fixture.server('one').before = ({ operation }) => {
      if (operation === 'freeSpace') throw new StorageError('UNSUPPORTED', 'no', { inStep: true })
    }
    const size = 9 * 1024 * 1024
    await tree.write('/one/big', bytes(Buffer.alloc(size)), { ...NO_LOCKS, size }, CALL)
    expect((await tree.stat('/one/big', CALL)).size).to.equal(size)
  })

  it('is refused when a lock came meanwhile', async () => {
    const bob = fixture.tree('bob', { server: 'one' })
    const server = fixture.server('one')
    const request = { depth: '0', scope: 'exclusive', ownerXml: '', seconds: 60, ...NO_LOCKS } as const
    server.beforeChunk = async () => void (await bob.lock('/one/f', request, CALL))
    expect(await codeOf(put(tree, '/one/f', NEW))).to.equal('LOCKED')
    server.beforeChunk = () => {}
    expect(await get(tree, '/one/f')).to.equal(OLD)
  })

  it('that cannot fit is refused before its body is read', async () => {
    let read = false
    async function* body() {
      read = true
      yield* bytes('x')
    }
    const size = 20 * 1024 ** 3
    expect(await codeOf(tree.write('/full/big', body(), { ...NO_LOCKS, size }, CALL))).to.equal('NO_SPACE')
    expect(read).to.equal(false)
  })

  it('that fills the disk is refused and leaves nothing', async () => {
    expect(await codeOf(put(tree, '/full/big', 'x'.repeat(2000)))).to.equal('NO_SPACE')
    expect(fixture.server('full').tree.list('/').entries).to.deep.equal([])
  })

  it('goes straight to its name where the permission’s server asks for that', async () => {
    const direct = fixture.tree('carol', { server: 'one', upload: 'direct' })
    await put(direct, '/one/d', NEW)
    expect(await get(direct, '/one/d')).to.equal(NEW)
    expect(fixture.server('one').calls.filter((call) => call.operation === 'rename')).to.have.length(1)
  })

  it('refuses rather than swaps where the permission’s server wants one step only', async () => {
    const strict = await TreeFixture.start({ one: { renameReplaces: false } })
    const atomic = strict.tree('alice', { server: 'one', upload: 'atomic' })
    await put(atomic, '/one/f', OLD)
    expect(await codeOf(put(atomic, '/one/f', NEW))).to.equal('ALREADY_EXISTS')
    expect(await get(atomic, '/one/f')).to.equal(OLD)
    await strict.stop()
  })

  it('hides temporary names and answers none of them', async () => {
    const { tree: disk } = fixture.server('one')
    const name = '.ftpc-s4e0u1-0123456789~f'
    disk.open('/' + name, { exclusive: true, mode: undefined })
    expect((await tree.list('/one', { ...CALL, fresh: true })).members.map((node) => node.name)).to.deep.equal(['f'])
    expect(await codeOf(tree.stat(`/one/${name}`, CALL))).to.equal('NO_SUCH_PATH')
    expect(await codeOf(put(tree, `/one/${name}`, 'x'))).to.equal('NO_SUCH_PATH')
  })
})

async function* breaking(first: string) {
  yield* bytes(first)
  throw new Error('the client went away')
}

/** Resolves when no upload is in the journal any more, or none can be cleaned. */
async function settled(fixture: TreeFixture): Promise<void> {
  for (let turn = 0; turn < 200 && fixture.journal.rows.size > 0; turn++) await new Promise(setImmediate)
}

async function untilTrue(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(setImmediate)
}
