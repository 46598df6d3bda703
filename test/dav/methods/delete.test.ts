import { expect } from 'chai'
import { StorageError } from '../../../src/storage/errors.js'
import { DavGateway, propfind } from '../dav-gateway.js'
import { multistatus } from '../multistatus.js'

describe('dav DELETE', () => {
  const gateway = new DavGateway()
  before(() => gateway.start())
  after(() => gateway.stop())

  const del = (path: string, headers = {}, user = 'user1') => gateway.send('DELETE', path, { headers, user })

  function makeFolder(name: string): void {
    gateway.folder(`/${name}`)
    for (const file of ['a', 'b', 'c']) gateway.store(`/${name}/${file}`, file)
  }

  it('removes a file and a whole folder with 204', async () => {
    gateway.store('/f', 'x')
    makeFolder('d')
    expect((await del('/dav/server2/f')).status).to.equal(204)
    expect((await del('/dav/server2/d', { depth: 'infinity' })).status).to.equal(204)
    expect(gateway.names()).not.to.include.members(['f', 'd'])
    expect((await del('/dav/server2/f')).status).to.equal(404)
  })

  for (const depth of ['0', '1']) {
    it(`answers 400 to Depth: ${depth} on a folder and removes nothing`, async () => {
      makeFolder(`depth${depth}`)
      expect((await del(`/dav/server2/depth${depth}`, { depth })).status).to.equal(400)
      expect(gateway.names(`/depth${depth}`)).to.have.length(3)
    })
  }

  it('ignores Depth on a file', async () => {
    gateway.store('/depthfile', 'x')
    expect((await del('/dav/server2/depthfile', { depth: '0' })).status).to.equal(204)
  })

  for (const path of ['/', '/dav/', '/dav', '/dav/server2', '/dav/server2/', '/dav/archive']) {
    it(`removes nothing at ${path}`, async () => {
      expect((await del(path)).status).to.equal(403)
      expect(gateway.shared.tree.has('/srv')).to.equal(true)
    })
  }

  it('does not act on the part before a number sign', async () => {
    makeFolder('frag')
    expect((await gateway.send('DELETE', '/dav/server2/frag/#ment')).status).to.equal(400)
    expect((await del('/dav/server2/frag/%23ment')).status).to.equal(404)
    expect(gateway.names('/frag')).to.have.length(3)
  })

  it('names the members that stayed, and only those', async () => {
    makeFolder('part')
    gateway.shared.before = ({ operation, path }) => {
      if (operation === 'removeFile' && path.endsWith('/b')) throw new StorageError('DENIED', 'test', { inStep: true })
    }
    const answer = await del('/dav/server2/part')
    gateway.heal()
    expect(answer.status).to.equal(207)
    expect(multistatus(answer.body).map(({ href, status }) => [href, status])).to.deep.equal([
      ['/dav/server2/part/b', 403],
    ])
    expect(gateway.names('/part')).to.deep.equal(['b'])
  })

  it('is stopped by a lock on the file, on its folder, and on any member', async () => {
    makeFolder('l')
    const member = await gateway.lock('/dav/server2/l/a', { user: 'user2' })
    const answer = await del('/dav/server2/l')
    expect(answer.status).to.equal(423)
    expect(answer.body).to.contain('<D:href>/dav/server2/l/a</D:href>')
    expect((await del('/dav/server2/l/a')).status).to.equal(423)
    expect((await del('/dav/server2/l/a', { if: `(<${member}>)` }, 'user2')).status).to.equal(204)
    const folder = await gateway.lock('/dav/server2/l', { headers: { depth: '0' } })
    expect((await del('/dav/server2/l/b')).status).to.equal(423)
    expect((await del('/dav/server2/l/b', { if: `</dav/server2/l> (<${folder}>)` })).status).to.equal(204)
  })

  it('ends the locks of what it removes', async () => {
    const token = await gateway.lock('/dav/server2/word.docx')
    expect((await del('/dav/server2/word.docx', { if: `(<${token}>)` })).status).to.equal(204)
    expect((await gateway.send('PUT', '/dav/server2/word.docx', { body: 'x' })).status).to.equal(201)
    const { body } = await gateway.send('PROPFIND', '/dav/server2/word.docx', {
      headers: { depth: '0' },
      body: propfind('lockdiscovery'),
    })
    expect(body).not.to.contain(token)
  })

  it('honours If-Match', async () => {
    gateway.store('/cond', 'x')
    expect((await del('/dav/server2/cond', { 'if-match': '"other"' })).status).to.equal(412)
    const { headers } = await gateway.send('HEAD', '/dav/server2/cond')
    expect((await del('/dav/server2/cond', { 'if-match': String(headers.etag) })).status).to.equal(204)
  })

  it('does not mind a body', async () => {
    gateway.store('/withbody', 'x')
    expect(
      (await gateway.send('DELETE', '/dav/server2/withbody', { body: 'why', headers: { 'content-length': 3 } })).status,
    ).to.equal(204)
  })
})
