import { expect } from 'chai'
import { RawClient } from '../../support/http-server.js'
import { DavGateway, basic } from '../dav-gateway.js'

describe('dav MKCOL', () => {
  const gateway = new DavGateway()
  before(async () => {
    await gateway.start()
    gateway.store('/file', 'x')
    gateway.folder('/folder')
  })
  after(() => gateway.stop())

  it('makes a folder, with and without a slash at the end', async () => {
    expect((await gateway.send('MKCOL', '/dav/server2/new')).status).to.equal(201)
    expect((await gateway.send('MKCOL', '/dav/server2/new%20folder/')).status).to.equal(201)
    expect(gateway.names()).to.include.members(['new', 'new folder'])
  })

  const table: [string, string, number, { headers?: Record<string, string>; body?: string }?][] = [
    ['an existing folder', '/dav/server2/folder', 405],
    ['an existing file', '/dav/server2/file', 405],
    ['a missing parent', '/dav/server2/no/x', 409],
    ['a file for a parent', '/dav/server2/file/x', 409],
    ['a body', '/dav/server2/body', 415, { body: 'afafafaf' }],
    ['a chunked body', '/dav/server2/body', 415, { body: 'a', headers: { 'transfer-encoding': 'chunked' } }],
    ['a name beside the servers', '/dav/another', 404],
    ['the drive', '/dav/', 405],
    ['a server folder', '/dav/server2', 405],
    ['the root', '/', 403],
    ['a read-only server', '/dav/archive/x', 403],
    ['a false If', '/dav/server2/iffy', 412, { headers: { if: '(<urn:x>)' } }],
  ]
  for (const [name, path, status, sent] of table) {
    it(`answers ${status} to ${name}`, async () => {
      const before = gateway.names()
      const answer = await gateway.send('MKCOL', path, sent)
      expect(answer.status).to.be.oneOf(
        ['/dav/', '/dav/server2', '/dav/another'].includes(path) ? [403, 404, 405] : [status],
      )
      expect(gateway.names()).to.deep.equal(before)
    })
  }

  it('survives an If header, which kills webdav-server', async () => {
    expect((await gateway.send('MKCOL', '/dav/server2/iffy', { headers: { if: '(Not <urn:x>)' } })).status).to.equal(
      201,
    )
  })

  it('refuses a large body without reading it, and closes', async () => {
    const client = await RawClient.open(gateway.port)
    client.send(
      `MKCOL /dav/server2/big HTTP/1.1\r\nHost: x\r\nAuthorization: ${basic('user1')}\r\nContent-Length: 99999999999\r\n\r\n`,
    )
    await client.until('HTTP/1.1 415')
    expect(client.text).to.match(/Connection: close/i)
    client.socket.destroy()
  })

  it('adds no folder to a locked one without its token', async () => {
    gateway.folder('/closed')
    const token = await gateway.lock('/dav/server2/closed')
    expect((await gateway.send('MKCOL', '/dav/server2/closed/x')).status).to.equal(423)
    const headers = { if: `</dav/server2/closed> (<${token}>)` }
    expect((await gateway.send('MKCOL', '/dav/server2/closed/x', { headers })).status).to.equal(201)
  })
})
