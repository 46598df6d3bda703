import { expect } from 'chai'
import type { Connection, Endpoint } from '../../src/storage/driver.js'
import { StorageError } from '../../src/storage/errors.js'
import { createMemoryDriver, MemoryServer } from '../../src/storage/memory/memory-driver.js'
import { put } from './conformance/world.js'
import { describeDriverConformance } from './driver-conformance.js'

const endpoint: Endpoint = { protocol: 'sftp', host: 'memory', port: 22, trust: { kind: 'none' } }
const accounts = { ann: 'secret' }

function connect(server: MemoryServer, password = 'secret'): Promise<Connection> {
  return createMemoryDriver(() => server).connect(endpoint, { username: 'ann', password })
}

const anyFile = { exclusive: false, mode: undefined }

for (const renameReplaces of [true, false]) {
  describeDriverConformance(`memory (rename ${renameReplaces ? 'replaces' : 'refuses'})`, () => {
    const server = new MemoryServer({ accounts, homes: { ann: '/ann' }, renameReplaces })
    const { tree } = server
    for (const folder of ['/ann', '/forbidden', '/unlistable', '/readonly']) tree.makeDirectory(folder)
    for (const file of ['/forbidden/inside', '/readonly/secret']) tree.open(file, anyFile)
    tree.setMode('/readonly/secret', 0o200)
    tree.setMode('/forbidden', 0)
    tree.setMode('/unlistable', 0o311)
    tree.setMode('/readonly', 0o555)
    return Promise.resolve({
      connect: () => connect(server),
      connectRejected: () => connect(server, 'wrong'),
      folder: '/ann',
      plantLink: (target: string, path: string) => Promise.resolve(tree.makeLink(target, path)),
      forbiddenFolder: '/forbidden',
      unlistableFolder: '/unlistable',
      readOnlyFolder: '/readonly',
      forbiddenFile: '/readonly/secret',
    })
  })
}

describe('memory server', () => {
  it('counts the calls and tells who made them', async () => {
    const server = new MemoryServer({ accounts })
    const connection = await connect(server)
    await put(connection, '/a', 'x')
    await connection.list('/')
    await connection.list('/')
    expect(server.count('list')).to.equal(2)
    expect(server.calls.map(({ operation, path, username }) => `${username} ${operation} ${path}`)).to.deep.equal([
      'ann connect ',
      'ann write /a',
      'ann list /',
      'ann list /',
    ])
  })

  it('fails what the interceptor fails, and holds what it holds', async () => {
    const server = new MemoryServer({ accounts })
    const connection = await connect(server)
    let release = (): void => undefined
    const gate = new Promise<void>((resolve) => (release = resolve))
    server.before = ({ operation }) => {
      if (operation === 'stat') throw new StorageError('TIMED_OUT', 'stalled')
      if (operation === 'list') return gate
    }
    const failure = await connection.stat('/').catch((error: unknown) => error)
    expect(failure).to.be.instanceOf(StorageError).and.include({ code: 'TIMED_OUT', inStep: false })
    let listed = false
    const listing = connection.list('/').then(() => (listed = true))
    await connection.ping()
    expect(listed).to.equal(false)
    release()
    await listing
  })

  it('says NO_SPACE beyond its capacity and keeps what was there', async () => {
    const server = new MemoryServer({ accounts, capacity: 10 })
    const connection = await connect(server)
    await put(connection, '/a', '12345')
    const failure = await put(connection, '/b', '1234567').catch((error: unknown) => error)
    expect(failure).to.be.instanceOf(StorageError).and.include({ code: 'NO_SPACE' })
    expect((await connection.stat('/a')).size).to.equal(5)
  })

  it('ends the connections of a server that restarts', async () => {
    const server = new MemoryServer({ accounts })
    const connection = await connect(server)
    expect(server.connections.size).to.equal(1)
    server.dropAll()
    expect(server.connections.size).to.equal(0)
    expect(connection.open).to.equal(false)
  })
})
