import { expect } from 'chai'
import { SharedTree } from '../../src/vfs/shared-tree.js'
import type { Tree } from '../../src/vfs/tree.js'
import { CALL, codeOf, get, names, NO_LOCKS, put, TreeFixture } from './tree-fixture.js'

describe('SharedTree', () => {
  let fixture: TreeFixture
  let owner: Tree

  beforeEach(async () => {
    fixture = await TreeFixture.start({ s1: {} })
    owner = fixture.tree('alice', { server: 's1' })
    for (const folder of ['/s1/docs', '/s1/docs/sub', '/s1/docs2']) await owner.makeDirectory(folder, NO_LOCKS, CALL)
    for (const file of ['/s1/docs/a.txt', '/s1/docs/sub/b.txt', '/s1/docs2/c.txt', '/s1/secret.txt']) {
      await put(owner, file, `of ${file}`)
    }
  })
  afterEach(() => fixture.stop())

  const shared = (root: string, kind: 'file' | 'directory') =>
    new SharedTree(owner, { userId: 2, username: 'bob', root, kind })

  it('shows a folder with everything in it', async () => {
    const tree = shared('/s1/docs', 'directory')
    expect(await names(tree, '/s1/docs')).to.deep.equal(['a.txt', 'sub'])
    expect(await names(tree, '/s1/docs/sub')).to.deep.equal(['b.txt'])
    expect(await get(tree, '/s1/docs/sub/b.txt')).to.equal('of /s1/docs/sub/b.txt')
    expect(await get(tree, '/s1/docs/a.txt', { start: 3, end: 5 })).to.equal('/s1')
  })

  it('shows nothing above, beside or with the same beginning', async () => {
    const tree = shared('/s1/docs', 'directory')
    for (const path of ['/', '/s1', '/s1/secret.txt', '/s1/docs2', '/s1/docs2/c.txt', '/s1/doc']) {
      expect(await codeOf(tree.stat(path, CALL)), path).to.equal('NO_SUCH_PATH')
      expect(await codeOf(tree.list(path, CALL)), path).to.equal('NO_SUCH_PATH')
    }
    const outside = await owner.stat('/s1/secret.txt', CALL)
    expect(await codeOf(tree.read(outside, undefined, () => undefined, CALL))).to.equal('NO_SUCH_PATH')
  })

  it('shows one file, and nothing else', async () => {
    const tree = shared('/s1/docs/a.txt', 'file')
    expect(await get(tree, '/s1/docs/a.txt')).to.equal('of /s1/docs/a.txt')
    for (const path of ['/s1/docs', '/s1/docs/sub', '/s1/docs/a.txt/x', '/s1/docs/a.txt2']) {
      expect(await codeOf(tree.stat(path, CALL)), path).to.equal('NO_SUCH_PATH')
    }
    expect(await codeOf(tree.list('/s1/docs/a.txt', CALL))).to.equal('NOT_A_DIRECTORY')
  })

  it('does not show the folder that took the place of a shared file', async () => {
    const tree = shared('/s1/docs/a.txt', 'file')
    await owner.remove('/s1/docs/a.txt', NO_LOCKS, CALL)
    await owner.makeDirectory('/s1/docs/a.txt', NO_LOCKS, CALL)
    expect(await codeOf(tree.stat('/s1/docs/a.txt', CALL))).to.equal('NO_SUCH_PATH')
  })

  it('follows no link below the shared folder, though its owner may', async () => {
    const { tree: files } = fixture.server('s1')
    files.makeLink('/docs2', '/docs/out')
    files.makeLink('/secret.txt', '/docs/sub/file')
    const fresh = { ...CALL, fresh: true }
    expect((await owner.stat('/s1/docs/out/c.txt', fresh)).type).to.equal('file')
    const tree = shared('/s1/docs', 'directory')
    expect((await tree.list('/s1/docs', fresh)).members.map(({ name }) => name).sort()).to.deep.equal(['a.txt', 'sub'])
    for (const path of ['/s1/docs/out', '/s1/docs/out/c.txt', '/s1/docs/sub/file']) {
      expect(await codeOf(tree.stat(path, fresh)), path).to.equal('NO_SUCH_PATH')
    }
  })

  it('is there for reading only, even where the owner may write', async () => {
    const tree: Tree = shared('/s1/docs', 'directory')
    const path = '/s1/docs/a.txt'
    const lock = { depth: '0', scope: 'exclusive', ownerXml: '', seconds: 10, lockTokens: new Set<string>() } as const
    for (const change of [
      put(tree, path, 'x'),
      tree.makeDirectory('/s1/docs/new', NO_LOCKS, CALL),
      tree.remove(path, NO_LOCKS, CALL),
      tree.copy(path, '/s1/docs/copy', { overwrite: false, deep: true }, NO_LOCKS, CALL),
      tree.move(path, '/s1/docs/moved', { overwrite: false }, NO_LOCKS, CALL),
      tree.setModified(path, 0, NO_LOCKS, CALL),
      tree.changeProperties(path, [], NO_LOCKS, CALL),
      tree.lock(path, lock, CALL),
      tree.refreshLock(path, 'token', 10),
      tree.unlock(path, 'token'),
    ]) {
      expect(await codeOf(change)).to.equal('READ_ONLY')
    }
    expect(await names(owner, '/s1/docs')).to.deep.equal(['a.txt', 'sub'])
  })

  it('tells nothing else of the owner', async () => {
    const tree: Tree = shared('/s1/docs', 'directory')
    expect(await tree.freeSpace('/s1', CALL)).to.equal(undefined)
    expect(await tree.properties('/s1/secret.txt')).to.deep.equal([])
    expect((await tree.propertiesInFolder('/s1')).size).to.equal(0)
    expect(await tree.locks('/s1/docs')).to.deep.equal([])
    expect([tree.userId, tree.username]).to.deep.equal([2, 'bob'])
  })
})
