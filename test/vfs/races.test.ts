import { expect } from 'chai'
import { eventually } from '../support/upload.js'
import type { Node } from '../../src/vfs/node.js'
import type { ReadOpened, Tree } from '../../src/vfs/tree.js'
import { CALL, codeOf, get, NO_LOCKS, put, TreeFixture } from './tree-fixture.js'

describe('two users at one file', () => {
  let fixture: TreeFixture
  let tree: Tree

  const start = async (servers: Parameters<typeof TreeFixture.start>[0]) => {
    fixture = await TreeFixture.start(servers)
    tree = fixture.tree('alice', ...Object.keys(servers).map((server) => ({ server })))
  }
  afterEach(() => fixture.stop())

  /** As a GET does: what it told of the file, and the bytes that it sent under that. */
  async function open(path: string) {
    let told: Node | undefined
    let body = ''
    const use = async (node: Node, read: ReadOpened) => {
      told = node
      await read(undefined, (chunk) => void (body += chunk.toString()))
    }
    const code = await codeOf(tree.open(path, () => undefined, use, CALL))
    return { code, size: told?.size, etag: told?.etag, body }
  }

  const tagOf = async (path: string) => (await tree.stat(path, CALL)).etag

  /** A download during which another version is stored, once, by `hook` at `operation`, tells the truth of its bytes. */
  async function expectTruth(hook: 'before' | 'after', operation: 'read' | 'openFile'): Promise<void> {
    let puts = 0
    fixture.server('one')[hook] = async (call) => {
      if (call.operation !== operation || puts > 0) return
      puts++
      await put(tree, '/one/f', 'HELLO WORLD')
    }
    const { code, size, etag, body } = await open('/one/f')
    expect(puts).to.equal(1)
    expect({ code, size, body }).to.deep.equal({ code: 'no error', size: 11, body: 'HELLO WORLD' })
    expect(etag).to.equal(await tagOf('/one/f'))
  }

  for (const opensFiles of [true, false]) {
    const where = opensFiles ? 'where files are looked at and opened at once' : 'step by step'
    for (const known of [true, false]) {
      it(`a download ${where}, of a file ${known ? 'seen before' : 'never seen'}, tells the truth of its bytes`, async () => {
        await start({ one: { opensFiles } })
        await put(tree, '/one/f', 'hello')
        if (!known) fixture.now += 120_000
        await expectTruth('before', 'read')
      })
    }
  }

  it('a download tells the truth of its bytes where the look was answered before a save and heard of after it', async () => {
    await start({ one: { opensFiles: true } })
    await put(tree, '/one/f', 'hello')
    await expectTruth('after', 'openFile')
  })

  it('a file that is replaced before each reading is not read at all, and the client is told to come again', async () => {
    await start({ one: { opensFiles: true } })
    await put(tree, '/one/f', 'hello')
    let version = 0
    fixture.server('one').before = async ({ operation }) => {
      if (operation === 'read') await put(tree, '/one/f', `version ${version++}`)
    }
    expect(await open('/one/f')).to.include({ code: 'CHANGED', body: '' })
    expect(version).to.equal(3)
  })

  it('a download that broke does not go on in another version of the same size and second', async () => {
    await start({ one: {} })
    await put(tree, '/one/big', 'a'.repeat(200_000))
    const server = fixture.server('one')
    let broken = false
    server.beforeChunk = async ({ operation }, offset) => {
      if (broken || operation !== 'read' || offset === 0) return
      broken = true
      await put(tree, '/one/big', 'b'.repeat(200_000))
      server.dropAll()
    }
    const { code, body } = await open('/one/big')
    expect(code).to.equal('CONNECTION_LOST')
    expect(body).to.not.include('b')
    expect(await get(tree, '/one/big')).to.equal('b'.repeat(200_000))
  })

  it('a move across servers leaves the version that was stored while it removed the source', async () => {
    await start({ one: {}, two: {} })
    await tree.makeDirectory('/one/d', NO_LOCKS, CALL)
    for (const name of ['a', 'b', 'c']) await put(tree, `/one/d/${name}`, name)
    fixture.server('one').before = async ({ operation, path }) => {
      if (operation !== 'removeFile' || path !== '/d/a') return
      fixture.now += 5_000
      await put(tree, '/one/d/c', 'acknowledged')
    }
    const { failures } = await tree.move('/one/d', '/two/d', { overwrite: true }, NO_LOCKS, CALL)
    expect(failures.map(({ path }) => path)).to.deep.equal(['/one/d/c'])
    expect(await get(tree, '/one/d/c')).to.equal('acknowledged')
    expect(await get(tree, '/two/d/c')).to.equal('c')
  })

  describe('a removal that waited for its connection', () => {
    let go: () => void
    let removing: Promise<unknown>
    let waiting: Promise<unknown>[]

    /** All connections are busy when it is asked for; `meanwhile` runs before it gets one. */
    async function removeLate(
      check: ((node: Node | undefined) => void) | undefined,
      meanwhile: () => Promise<unknown>,
    ) {
      await start({ one: {} })
      await put(tree, '/one/f', 'old')
      const wanted = await tagOf('/one/f')
      const server = fixture.server('one')
      const busy = new Promise<void>((resolve) => (go = resolve))
      let held = 0
      server.before = async ({ operation, path }) => {
        if (operation !== 'stat' || !path.startsWith('/busy')) return
        held++
        await busy
      }
      const fresh = { ...CALL, fresh: true }
      waiting = [1, 2, 3, 4].map((n) => codeOf(tree.stat(`/one/busy${n}`, fresh)))
      await eventually('all connections are busy', 5, () => Promise.resolve(held === 4))
      removing = codeOf(tree.remove('/one/f', { ...NO_LOCKS, ...(check ? { check } : {}) }, CALL))
      await meanwhile()
      go()
      await Promise.all(waiting)
      return { wanted, code: await removing }
    }

    it('does not remove a version that its condition does not name', async () => {
      let wanted: string | undefined
      const check = (node: Node | undefined) => {
        wanted ??= node?.etag
        if (node?.etag !== wanted) throw Object.assign(new Error('412'), { code: 'IT_CHANGED' })
      }
      const { code } = await removeLate(check, () => {
        fixture.now += 5_000
        fixture.server('one').tree.open('/f', { exclusive: false, mode: undefined })
        return Promise.resolve()
      })
      expect(code).to.equal('IT_CHANGED')
      expect(await codeOf(tree.stat('/one/f', { ...CALL, fresh: true }))).to.equal('no error')
    })

    it('does not remove what was locked meanwhile', async () => {
      const lock = { depth: '0', scope: 'exclusive', ownerXml: '', seconds: 60, lockTokens: new Set<string>() } as const
      const { code } = await removeLate(undefined, () => tree.lock('/one/f', lock, CALL))
      expect(code).to.equal('LOCKED')
      expect(await get(tree, '/one/f')).to.equal('old')
    })
  })

  it('an old version whose stepping aside was never answered comes back, however late it stepped', async () => {
    await start({ sw: { renameReplaces: false } })
    await put(tree, '/sw/f', 'precious')
    const server = fixture.server('sw')
    let backup = ''
    server.before = ({ operation, path }) => {
      if (operation !== 'rename' || path !== '/f') return
      server.before = () => undefined
      backup = [...fixture.journal.rows.values()].map((row) => (row as { backup?: string }).backup)[0] ?? ''
      server.dropAll()
    }
    expect(await codeOf(put(tree, '/sw/f', 'new'))).to.equal('CONNECTION_LOST')
    expect(backup).to.not.equal('')
    server.tree.rename('/f', backup, false)
    await fixture.restart()
    tree = fixture.tree('alice', { server: 'sw' })
    const back = async () => (await codeOf(tree.stat('/sw/f', { ...CALL, fresh: true }))) === 'no error'
    await eventually('it is back', 10, back)
    expect(await get(tree, '/sw/f')).to.equal('precious')
  })

  it('a copy that waits for another one with the same login ends with its request', async () => {
    await start({ one: {} })
    await put(tree, '/one/big', 'x'.repeat(100_000))
    let go!: () => void
    const slow = new Promise<void>((resolve) => (go = resolve))
    let begun = false
    fixture.server('one').beforeChunk = async ({ operation }) => {
      if (operation !== 'read') return
      begun = true
      await slow
    }
    const copy = (to: string, signal: AbortSignal) =>
      codeOf(tree.copy('/one/big', to, { overwrite: true, deep: true }, NO_LOCKS, { signal }))
    const first = copy('/one/a', CALL.signal)
    await eventually('the first one goes on', 5, () => Promise.resolve(begun))
    const gone = new AbortController()
    const second = copy('/one/b', gone.signal)
    const third = copy('/one/c', CALL.signal)
    gone.abort()
    expect(await second).to.equal('ABORTED')
    go()
    expect(await Promise.all([first, third])).to.deep.equal(['no error', 'no error'])
    expect(await codeOf(tree.stat('/one/b', { ...CALL, fresh: true }))).to.equal('NOT_FOUND')
  })
})
