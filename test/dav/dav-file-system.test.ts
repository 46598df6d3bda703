import { expect } from 'chai'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { Readable } from 'node:stream'
import { v2 as webdav } from 'webdav-server'
import { StorageError } from '../../src/storage/errors.js'
import { DavGateway } from './dav-gateway.js'

describe('dav/dav-file-system: the programmatic API of webdav-server on a user’s tree', () => {
  const gateway = new DavGateway()
  before(() => gateway.start())
  after(() => gateway.stop())

  const resource = (path: string, user = 'user1') =>
    gateway.library.getResourceAsync(gateway.library.createExternalContext({ user: gateway.userOf(user) }), path)

  async function refusal(work: Promise<unknown>): Promise<unknown> {
    return work.then(
      () => undefined,
      (error: unknown) => error,
    )
  }

  it('is a FileSystem, mounted at the root', () => {
    expect(gateway.library.rootFileSystem()).to.be.instanceOf(webdav.FileSystem)
  })

  it('shows each user the own servers', async () => {
    expect(await (await resource('/')).readDirAsync()).to.have.members(['server2', 'archive'])
    expect(await (await resource('/', 'user2')).readDirAsync()).to.deep.equal(['server2'])
  })

  it('creates, writes, reads, lists, describes and deletes', async () => {
    await (await resource('/server2/dir')).createAsync(webdav.ResourceType.Directory)
    const file = await resource('/server2/dir/a.txt')
    await file.createAsync(webdav.ResourceType.File)
    await pipeline(Readable.from(['hel', 'lo']), await file.openWriteStreamAsync().then(({ stream }) => stream))
    expect(gateway.content('/dir/a.txt')).to.equal('hello')
    expect(await text(await file.openReadStreamAsync(true))).to.equal('hello')
    expect(await file.sizeAsync()).to.equal(5)
    expect((await file.typeAsync()).isFile).to.equal(true)
    expect(await file.mimeTypeAsync()).to.equal('text/plain')
    expect(await file.etagAsync()).to.match(/^"/)
    expect(await file.lastModifiedDateAsync()).to.be.a('number')
    expect(await (await resource('/server2/dir')).readDirAsync()).to.deep.equal(['a.txt'])
    await file.deleteAsync()
    expect(gateway.names('/dir')).to.deep.equal([])
  })

  it('copies and moves', async () => {
    gateway.store('/one', '1')
    await new Promise<void>((resolve, reject) => {
      void resource('/server2/one').then((one) =>
        one.copy('/server2/two', true, (error) => (error ? reject(error) : resolve())),
      )
    })
    await (await resource('/server2/two')).moveAsync('/server2/three', true)
    expect([gateway.content('/one'), gateway.content('/two'), gateway.content('/three')]).to.deep.equal([
      '1',
      undefined,
      '1',
    ])
  })

  it('locks for all, by its own lock manager', async () => {
    gateway.store('/held', 'x')
    const manager = await (await resource('/server2/held', 'user2')).lockManagerAsync()
    const kind = new webdav.LockKind(webdav.LockScope.Exclusive, webdav.LockType.Write, 100)
    const lock = new webdav.Lock(kind, gateway.userOf('user2'), 'me')
    await manager.setLockAsync(lock)
    expect(lock.uuid).to.match(/^opaquelocktoken:/)
    expect((await manager.getLocksAsync()).map(({ uuid }) => uuid)).to.deep.equal([lock.uuid])
    expect((await gateway.send('PUT', '/dav/server2/held', { body: 'no' })).status).to.equal(423)
    expect(await refusal((await resource('/server2/held')).deleteAsync())).to.equal(webdav.Errors.Locked)
    await (await resource('/server2/held', 'user2')).deleteAsync()
    expect(gateway.content('/held')).to.equal(undefined)
  })

  it('keeps properties where the verbs find them', async () => {
    gateway.store('/tagged', 'x')
    const manager = await (await resource('/server2/tagged')).propertyManagerAsync()
    await new Promise<void>((resolve, reject) => {
      manager.setProperty('http://ns.example/author', 'Ada & co', {}, (error) => (error ? reject(error) : resolve()))
    })
    const answer = await gateway.send('PROPFIND', '/dav/server2/tagged', { headers: { depth: '0' } })
    expect(answer.body).to.contain('xmlns:n="http://ns.example/"').and.contain('Ada &amp; co')
    const bag = await new Promise((resolve, reject) =>
      manager.getProperties((error, all) => (error ? reject(error) : resolve(all))),
    )
    expect(bag).to.deep.equal({ 'http://ns.example/author': { value: 'Ada & co' } })
  })

  it('names errors as the library does', async () => {
    expect(await refusal((await resource('/server2/no')).typeAsync())).to.equal(webdav.Errors.ResourceNotFound)
    expect(await refusal((await resource('/nosuchserver/x')).sizeAsync())).to.equal(webdav.Errors.ResourceNotFound)
    expect(await refusal((await resource('/archive/new')).createAsync(webdav.ResourceType.File))).to.equal(
      webdav.Errors.Forbidden,
    )
    expect(await refusal((await resource('/server2')).deleteAsync())).to.equal(webdav.Errors.Forbidden)
  })

  it('gives nobody’s context nothing', async () => {
    const nobody = gateway.library.createExternalContext()
    const root = await gateway.library.getResourceAsync(nobody, '/')
    expect(await refusal(root.readDirAsync())).to.equal(webdav.Errors.NotEnoughPrivilege)
  })

  it('hands errors of a transfer to the stream', async () => {
    gateway.store('/bad', 'x')
    gateway.shared.before = ({ operation }) => {
      if (operation === 'read' || operation === 'write') throw new StorageError('UNREACHABLE', 'test')
    }
    const bad = await resource('/server2/bad')
    expect(await refusal(text(await bad.openReadStreamAsync(true)))).to.have.property('code', 'UNREACHABLE')
    const { stream } = await bad.openWriteStreamAsync()
    expect(await refusal(pipeline(Readable.from(['y']), stream))).to.have.property('code', 'UNREACHABLE')
    gateway.heal()
    expect(gateway.content('/bad')).to.equal('x')
  })

  it('stores nothing when the stream is destroyed before its end', async () => {
    gateway.store('/half', 'whole')
    const { stream } = await (await resource('/server2/half')).openWriteStreamAsync()
    stream.on('error', () => undefined)
    await new Promise((resolve) => stream.write('ha', resolve))
    stream.destroy()
    while (gateway.names().some((name) => name.startsWith('.'))) await new Promise(setImmediate)
    expect(gateway.content('/half')).to.equal('whole')
  })
})
