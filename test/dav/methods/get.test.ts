import { expect } from 'chai'
import { StorageError } from '../../../src/storage/errors.js'
import { RawClient } from '../../support/http-server.js'
import { DavGateway, basic } from '../dav-gateway.js'

describe('dav GET and HEAD', () => {
  const gateway = new DavGateway()
  before(async () => {
    await gateway.start()
    gateway.folder('/d')
    gateway.store('/d/<b>"&.txt', 'hello')
    gateway.store('/f.bin', '0123456789')
  })
  after(() => gateway.stop())

  for (const method of ['GET', 'HEAD']) {
    it(`${method} of a folder is 200 with a page of links that runs nothing`, async () => {
      for (const path of ['/dav/server2/d', '/dav/server2/d/', '/dav/']) {
        const answer = await gateway.send(method, path)
        expect(answer.status).to.equal(200)
        expect(answer.headers['content-type']).to.equal('text/html; charset=utf-8')
        expect(answer.headers['content-security-policy']).to.contain("default-src 'none'")
        if (method === 'HEAD') expect(answer.body).to.equal('')
      }
    })
  }

  it('escapes names on the page, and its links lead to the files', async () => {
    const { body } = await gateway.send('GET', '/dav/server2/d')
    expect(body).to.contain('&lt;b&gt;').and.not.contain('<b>')
    const href = /<a href="(\/dav\/[^"]+txt)"/.exec(body)?.[1] ?? ''
    expect((await gateway.send('GET', href)).body).to.equal('hello')
  })

  it('HEAD says what GET says, without asking for content', async () => {
    const got = await gateway.send('GET', '/dav/server2/f.bin')
    gateway.shared.calls.length = 0
    const head = await gateway.send('HEAD', '/dav/server2/f.bin')
    expect(gateway.shared.count('read')).to.equal(0)
    expect({ ...head.headers, date: '' }).to.deep.equal({ ...got.headers, date: '' })
    expect(got.headers).to.include({
      'accept-ranges': 'bytes',
      'content-length': '10',
      'x-content-type-options': 'nosniff',
    })
  })

  it('sends a range, and asks the server for no more', async () => {
    const answer = await gateway.send('GET', '/dav/server2/f.bin', { headers: { range: 'bytes=2-4' } })
    expect([answer.status, answer.body, answer.headers['content-range']]).to.deep.equal([206, '234', 'bytes 2-4/10'])
    const beyond = await gateway.send('GET', '/dav/server2/f.bin', { headers: { range: 'bytes=50-' } })
    expect([beyond.status, beyond.headers['content-range']]).to.deep.equal([416, 'bytes */10'])
  })

  it('answers 304 to a client that has it, and 412 to one that has another', async () => {
    const { headers } = await gateway.send('HEAD', '/dav/server2/f.bin')
    const again = (extra: Record<string, string>) => gateway.send('GET', '/dav/server2/f.bin', { headers: extra })
    expect((await again({ 'if-none-match': String(headers.etag) })).status).to.equal(304)
    expect((await again({ 'if-modified-since': String(headers['last-modified']) })).status).to.equal(304)
    expect((await again({ 'if-match': '"other"' })).status).to.equal(412)
  })

  it('needs no token for what is locked', async () => {
    await gateway.lock('/dav/server2/f.bin')
    expect((await gateway.send('GET', '/dav/server2/f.bin', { user: 'user2' })).status).to.equal(200)
    expect((await gateway.send('GET', '/dav/server2/f.bin', { headers: { if: '(<urn:x>)' } })).status).to.equal(412)
  })

  it('answers errors as text, with the status of what went wrong', async () => {
    const missing = await gateway.send('GET', '/dav/server2/no')
    expect([missing.status, missing.headers['content-type']]).to.deep.equal([404, 'text/plain; charset=utf-8'])
    expect((await gateway.send('HEAD', '/dav/server2/no')).body).to.equal('')
    gateway.shared.before = ({ operation }) => {
      if (operation === 'read') throw new StorageError('UNREACHABLE', 'host secret.internal refused')
    }
    const dead = await gateway.send('GET', '/dav/server2/f.bin')
    const finder = await gateway.send('GET', '/dav/server2/f.bin', {
      headers: { 'user-agent': 'WebDAVFS/3.0.0 Darwin/24.1.0' },
    })
    gateway.heal()
    expect([dead.status, finder.status]).to.deep.equal([502, 423])
    expect(dead.body).not.to.contain('secret.internal')
  })

  it('breaks the connection when the server fails in the middle: a short file never ends cleanly', async () => {
    gateway.store('/long', Buffer.alloc(1_000_000, 'x'))
    gateway.shared.beforeChunk = (_call, bytes) => {
      if (bytes > 300_000) throw new StorageError('CONNECTION_LOST', 'test')
    }
    const client = await RawClient.open(gateway.port)
    client.send(`GET /dav/server2/long HTTP/1.1\r\nHost: x\r\nAuthorization: ${basic('user1')}\r\n\r\n`)
    await client.closed
    gateway.heal()
    expect(client.text).to.contain('200 OK')
    expect(client.received.length).to.be.below(1_000_000)
    expect(gateway.lines.map((line) => line.msg)).to.include('an answer broke off')
  })

  it('stops reading from the server when the client leaves', async () => {
    gateway.store('/huge', Buffer.alloc(64 << 20))
    const client = await RawClient.open(gateway.port)
    client.send(`GET /dav/server2/huge HTTP/1.1\r\nHost: x\r\nAuthorization: ${basic('user1')}\r\n\r\n`)
    await client.until('200 OK')
    let last = 0
    gateway.shared.beforeChunk = (_call, bytes) => void (last = bytes)
    client.socket.destroy()
    expect((await gateway.send('GET', '/dav/server2/f.bin')).status).to.equal(200)
    gateway.heal()
    expect(last).to.be.below(64 << 20)
  })
})
