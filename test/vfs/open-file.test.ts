import { expect } from 'chai'
import { StorageError } from '../../src/storage/errors.js'
import type { Node } from '../../src/vfs/node.js'
import type { ReadOpened, Tree } from '../../src/vfs/tree.js'
import { CALL, codeOf, put, TreeFixture } from './tree-fixture.js'

describe('a file that is looked at and read in one go', () => {
  let fixture: TreeFixture
  let tree: Tree

  beforeEach(async () => {
    fixture = await TreeFixture.start({ one: { opensFiles: true }, two: {} })
    tree = fixture.tree('alice', { server: 'one' }, { server: 'two' })
    await put(tree, '/one/f', 'hello')
    await put(tree, '/two/f', 'hello')
    await tree.stat('/one/f', { ...CALL, fresh: true })
    begin()
  })

  afterEach(() => fixture.stop())

  const begin = () => (fixture.server('one').calls.length = fixture.server('two').calls.length = 0)
  const asked = (server = 'one') =>
    fixture
      .server(server)
      .calls.map(({ operation }) => operation)
      .filter((operation) => operation !== 'connect')
  const quiet = () => fixture.connections.stats().accounts.every(({ lent }) => lent === 0)

  async function read(path: string, use?: (node: Node, read: ReadOpened) => Promise<void>): Promise<string> {
    const parts: Buffer[] = []
    const whole = async (_: Node, read: ReadOpened) => {
      await read(undefined, (chunk) => void parts.push(Buffer.from(chunk)))
    }
    const node = await tree.open(path, () => undefined, use ?? whole, CALL)
    return `${node.type} ${Buffer.concat(parts).toString()}`.trim()
  }

  it('costs no look of its own where the server can do it, and is read step by step where not', async () => {
    expect(await read('/one/f')).to.equal('file hello')
    expect(asked()).to.deep.equal(['openFile', 'read'])
    expect(await read('/two/f')).to.equal('file hello')
    expect(asked('two')).to.deep.equal(['stat', 'read'])
    expect(quiet()).to.equal(true)
  })

  it('is opened only where somebody has seen that it is a file', async () => {
    const { tree: disk } = fixture.server('one')
    disk.open('/unseen', { exclusive: true, mode: undefined })
    disk.makeDirectory('/folder')
    expect(await read('/one/unseen')).to.equal('file')
    expect(asked()).to.deep.equal(['stat', 'openFile'])
    begin()
    expect(await read('/one/folder')).to.equal('directory')
    expect(await read('/one')).to.equal('directory')
    expect(await read('/')).to.equal('directory')
    expect(asked()).to.not.include('openFile')
  })

  it('is looked at again when it is gone or has become a folder', async () => {
    const { tree: disk } = fixture.server('one')
    disk.removeFile('/f')
    expect(await codeOf(read('/one/f'))).to.equal('NOT_FOUND')
    await put(tree, '/one/f', 'hello')
    disk.removeFile('/f')
    disk.makeDirectory('/f')
    expect(await read('/one/f')).to.equal('directory')
    expect(quiet()).to.equal(true)
  })

  it('shows what stands there, not what was known of it', async () => {
    fixture.server('one').tree.append('/f', Buffer.from(' world'))
    const seen: Node[] = []
    await read('/one/f', (node) => {
      seen.push(node)
      return Promise.resolve()
    })
    expect(seen.map(({ size }) => size)).to.deep.equal([11])
    expect((await tree.stat('/one/f', CALL)).size).to.equal(11)
  })

  it('is closed, and the connection given back, when nobody reads it or whoever looks refuses', async () => {
    expect(await read('/one/f', () => Promise.resolve())).to.equal('file')
    expect(await codeOf(read('/one/f', () => Promise.reject(new StorageError('DENIED', 'no'))))).to.equal('DENIED')
    expect(fixture.server('one').closed).to.deep.equal(['/f', '/f'])
    expect(quiet()).to.equal(true)
  })

  it('goes on once on another connection when the first one breaks, if it is still the same', async () => {
    const server = fixture.server('one')
    let breaking = true
    server.after = ({ operation }) => {
      if (operation !== 'read' || !breaking) return
      breaking = false
      server.dropAll()
    }
    server.beforeChunk = () => {
      if (breaking) server.dropAll()
      breaking = false
    }
    expect(await read('/one/f')).to.equal('file hello')
    expect(asked()).to.deep.equal(['openFile', 'read', 'stat', 'openFile', 'read'])

    begin()
    server.beforeChunk = () => {
      server.beforeChunk = () => undefined
      server.tree.append('/f', Buffer.from('!'))
      server.dropAll()
    }
    expect(await codeOf(read('/one/f'))).to.equal('CONNECTION_LOST')
    expect(asked().filter((operation) => operation === 'read')).to.have.length(1)
  })

  it('ends when the permission does', async () => {
    const access = fixture.access('bob', { server: 'one' })
    tree = fixture.trees.treeOf(access)
    await tree.stat('/one/f', { ...CALL, fresh: true })
    const ended = read('/one/f', async (_, read) => {
      await read(undefined, () => {
        fixture.trees.revoke(access, undefined)
        return new Promise(() => undefined)
      })
    })
    expect(await codeOf(ended)).to.equal('REVOKED')
    expect(quiet()).to.equal(true)
  })
})
