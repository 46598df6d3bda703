import { expect } from 'chai'
import { StorageError } from '../../src/storage/errors.js'
import { ObservedTree } from '../../src/vfs/observed-tree.js'
import type { OperationResult, TreeObserver, TreeOperation } from '../../src/vfs/observer.js'
import type { Tree } from '../../src/vfs/tree.js'
import { CLIENT } from '../support/tree-operation.js'
import { bytes, CALL, codeOf, get, NO_LOCKS, put, TreeFixture, type Grant } from './tree-fixture.js'

interface Told extends OperationResult {
  readonly operation: TreeOperation
}

describe('ObservedTree', () => {
  let fixture: TreeFixture
  let told: Told[]
  let running: Set<TreeOperation>
  let tree: Tree
  const observer: TreeObserver = {
    started: (operation) => void running.add(operation),
    ended: (operation, result) => {
      running.delete(operation)
      told.push({ operation, ...result })
    },
  }

  beforeEach(async () => {
    fixture = await TreeFixture.start({ one: {}, two: {} })
    told = []
    running = new Set()
    tree = observed({ server: 'one' }, { server: 'two', access: 'read-only', login: 'bob' })
  })
  afterEach(() => fixture.stop())

  function observed(...grants: Grant[]): Tree {
    const access = fixture.access('alice', ...grants)
    return new ObservedTree(fixture.trees.treeOf(access), access, CLIENT, [observer], () => fixture.now)
  }

  /** `kind path outcome code` of everything that was told. */
  const log = () =>
    told.map(({ operation: { kind, path }, outcome, code }) => [kind, path, outcome, code].filter(Boolean).join(' '))

  it('tells of each operation once, with its outcome', async () => {
    await put(tree, '/one/a', 'hello')
    await get(tree, '/one/a')
    await tree.makeDirectory('/one/d', NO_LOCKS, CALL)
    await tree.copy('/one/a', '/one/d/b', { overwrite: false, deep: true }, NO_LOCKS, CALL)
    await tree.move('/one/d', '/one/e', { overwrite: false }, NO_LOCKS, CALL)
    await tree.list('/one', CALL)
    await tree.setModified('/one/a', 1_600_000_000_000, NO_LOCKS, CALL)
    await tree.changeProperties('/one/a', [], NO_LOCKS, CALL)
    const request = {
      depth: '0',
      scope: 'exclusive',
      ownerXml: '',
      seconds: 60,
      lockTokens: new Set<string>(),
    } as const
    const { lock } = await tree.lock('/one/a', request, CALL)
    await tree.refreshLock('/one/a', lock.token, 60)
    await tree.unlock('/one/a', lock.token)
    await tree.remove('/one/e', NO_LOCKS, CALL)
    expect(told[4]?.operation.bytes, 'of a copy').to.equal(5)
    expect(log()).to.deep.equal([
      'write /one/a ok',
      'stat /one/a ok',
      'read /one/a ok',
      'make-directory /one/d ok',
      'copy /one/a ok',
      'move /one/d ok',
      'list /one ok',
      'set-modified /one/a ok',
      'change-properties /one/a ok',
      'lock /one/a ok',
      'refresh-lock /one/a ok',
      'unlock /one/a ok',
      'remove /one/e ok',
    ])
    expect([...running]).to.deep.equal([])
  })

  it('tells of a look and a read that are one call as of two, and of a look alone where nothing is read', async () => {
    await put(tree, '/one/a', 'hello')
    told.length = 0
    const range = { start: 1, end: 3 }
    const part = () => range
    await tree.open('/one/a', part, (_, read) => read(range, () => undefined), CALL)
    expect(told[1]?.operation).to.deep.include({ bytes: 3, total: 3 })
    await tree.open('/one/a', part, () => Promise.resolve(), CALL)
    await tree.open('/one', part, () => Promise.resolve(), CALL)
    await codeOf(tree.open('/one/missing', part, () => Promise.resolve(), CALL))
    const gone = () => {
      throw new Error('the client left')
    }
    await codeOf(tree.open('/one/a', part, (_, read) => read(range, gone), CALL))
    expect(log()).to.deep.equal([
      'stat /one/a ok',
      'read /one/a ok',
      'stat /one/a ok',
      'stat /one ok',
      'stat /one/missing failed NOT_FOUND',
      'stat /one/a ok',
      'read /one/a failed INTERNAL',
    ])
    expect([...running]).to.deep.equal([])
  })

  it('says who, from where, with which login and how many bytes', async () => {
    await put(tree, '/one/a', 'hello')
    await get(tree, '/one/a', { start: 1, end: 2 })
    const [written, , read] = told.map(({ operation }) => operation)
    expect(written).to.deep.include({ username: 'alice', client: CLIENT, bytes: 5, total: 5 })
    expect(written?.mount).to.include({ alias: 'one', remoteUser: 'alice', serverId: 0 })
    expect(read).to.deep.include({ bytes: 2, total: 2 })
    await tree.stat('/two', CALL)
    expect(told.at(-1)?.operation.mount).to.include({ alias: 'two', remoteUser: 'bob' })
    await tree.list('/', CALL)
    expect(told.at(-1)?.operation.mount).to.equal(undefined)
  })

  const refusals: [what: string, work: () => Promise<unknown>, line: string][] = [
    ['a missing file', () => tree.stat('/one/none', CALL), 'stat /one/none failed NOT_FOUND'],
    ['a read-only server', () => put(tree, '/two/a', 'x'), 'write /two/a refused READ_ONLY'],
    ['a server that is not permitted', () => tree.list('/three', CALL), 'list /three failed NO_SUCH_PATH'],
    ['too few bytes', () => put(tree, '/one/a', 'x', { size: 2 }), 'write /one/a failed SHORT_BODY'],
    ['a folder of a server', () => tree.remove('/one', NO_LOCKS, CALL), 'remove /one refused MOUNT_IS_FIXED'],
    [
      'a precondition',
      () =>
        put(tree, '/one/a', 'x', {
          check: () => {
            throw Object.assign(new Error('no'), { code: 'PRECONDITION' })
          },
        }),
      'write /one/a failed PRECONDITION',
    ],
  ]
  for (const [what, work, line] of refusals) {
    it(`says that ${what} was the end of it`, async () => {
      expect(await codeOf(work())).to.equal(line.split(' ').at(-1))
      expect(log()).to.deep.equal([line])
    })
  }

  it('says that members stayed', async () => {
    await tree.makeDirectory('/one/d', NO_LOCKS, CALL)
    await put(tree, '/one/d/stays', 'x')
    fixture.server('one').before = ({ operation, path }) => {
      if (operation === 'removeFile' && path.endsWith('stays')) {
        throw new StorageError('DENIED', 'not this one', { inStep: true })
      }
    }
    expect(await tree.remove('/one/d', NO_LOCKS, CALL)).to.have.length(1)
    expect(log().at(-1)).to.equal('remove /one/d failed PARTIAL')
  })

  it('shows the bytes of what is under way', async () => {
    await put(tree, '/one/big', 'x'.repeat(300_000))
    const seen: number[] = []
    const node = await tree.stat('/one/big', CALL)
    await tree.read(
      node,
      undefined,
      async () => {
        seen.push(...[...running].map((operation) => operation.bytes))
        await Promise.resolve()
      },
      CALL,
    )
    expect(seen[0]).to.equal(0)
    expect(seen.at(-1)).to.be.greaterThan(0)
    expect(told.at(-1)?.operation.bytes).to.equal(300_000)
  })

  it('ends a download on demand, and nothing else', async () => {
    await put(tree, '/one/a', 'x'.repeat(200_000))
    const node = await tree.stat('/one/a', CALL)
    const started = signalled()
    const reading = codeOf(
      tree.read(
        node,
        undefined,
        () => {
          started.resolve()
          return new Promise(() => undefined)
        },
        CALL,
      ),
    )
    await started.promise
    for (const operation of running) operation.end?.()
    expect(await reading).to.equal('ENDED')
    expect(log().at(-1)).to.equal('read /one/a refused ENDED')
    expect(await get(tree, '/one/a')).to.have.length(200_000)
  })

  it('ends an upload on demand: the old file stays', async () => {
    await put(tree, '/one/a', 'old')
    const started = signalled()
    async function* endless() {
      yield* bytes('new')
      started.resolve()
      await new Promise(() => undefined)
    }
    const writing = codeOf(tree.write('/one/a', endless(), NO_LOCKS, CALL))
    await started.promise
    for (const operation of running) operation.end?.()
    expect(await writing).to.equal('ENDED')
    expect(await get(tree, '/one/a')).to.equal('old')
  })

  it('tells of what ended with its permission as of a refusal', async () => {
    const access = fixture.access('alice', { server: 'one' })
    const watched = new ObservedTree(fixture.trees.treeOf(access), access, CLIENT, [observer], () => fixture.now)
    await put(watched, '/one/a', 'x'.repeat(200_000))
    const node = await watched.stat('/one/a', CALL)
    const sink = () => {
      fixture.trees.revoke(access, undefined)
      return new Promise<void>(() => undefined)
    }
    expect(await codeOf(watched.read(node, undefined, sink, CALL))).to.equal('REVOKED')
    expect(log().at(-1)).to.equal('read /one/a refused REVOKED')
    expect(fixture.trees.active.list()).to.have.length(0)
  })

  it('passes on that the client left', async () => {
    const controller = new AbortController()
    await put(tree, '/one/a', 'x'.repeat(200_000))
    const node = await tree.stat('/one/a', CALL)
    const started = signalled()
    const sink = () => {
      started.resolve()
      return new Promise<void>(() => undefined)
    }
    const reading = codeOf(tree.read(node, undefined, sink, { signal: controller.signal }))
    await started.promise
    controller.abort(new Error('gone'))
    expect(await reading).to.equal('ABORTED')
    expect(told.at(-1)).to.include({ outcome: 'failed', code: 'ABORTED' })
  })
})

/** A promise that somebody else resolves. */
function signalled(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = () => {}
  const promise = new Promise<void>((done) => (resolve = done))
  return { promise, resolve }
}
