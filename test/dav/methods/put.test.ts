import { expect } from 'chai'
import { StorageError } from '../../../src/storage/errors.js'
import { RawClient } from '../../support/http-server.js'
import { DavGateway, basic } from '../dav-gateway.js'

describe('dav PUT', () => {
  const gateway = new DavGateway()
  before(() => gateway.start())
  after(() => gateway.stop())
  afterEach(() => gateway.heal())

  const put = (path: string, body: string | Buffer, headers = {}, user = 'user1') =>
    gateway.send('PUT', path, { body, headers, user })

  it('answers 201 for a new file and 204 for a replaced one, with ETag and Last-Modified', async () => {
    const first = await put('/dav/server2/a.txt', 'one')
    expect(first.status).to.equal(201)
    expect(first.headers.etag).to.match(/^"[^"]+"$/)
    expect(first.headers['last-modified']).to.match(/ GMT$/)
    expect(first.headers.date).to.be.a('string')
    const second = await put('/dav/server2/a.txt', 'two')
    expect(second.status).to.equal(204)
    expect(second.headers.etag).not.to.equal(first.headers.etag)
    expect(gateway.content('/a.txt')).to.equal('two')
    const got = await gateway.send('GET', '/dav/server2/a.txt')
    expect([got.body, got.headers.etag]).to.deep.equal(['two', second.headers.etag])
  })

  it('stores an empty file', async () => {
    expect((await put('/dav/server2/empty', '')).status).to.equal(201)
    expect(gateway.content('/empty')).to.equal('')
  })

  it('stores a chunked body without a length', async () => {
    const answer = await put('/dav/server2/chunked', 'streamed', { 'transfer-encoding': 'chunked' })
    expect(answer.status).to.equal(201)
    expect(gateway.content('/chunked')).to.equal('streamed')
  })

  it('cuts a client that falls silent for longer than configured, and keeps the old file', async () => {
    const limits = { ...gateway.dependencies.limits, clientIdle: 30 }
    const hasty = await new DavGateway({ limits }).start()
    try {
      hasty.shared.tree.open('/srv/kept', { exclusive: true, mode: undefined })
      const client = await RawClient.open(hasty.port)
      client.send(
        `PUT /dav/server2/kept HTTP/1.1\r\nHost: x\r\nAuthorization: ${basic('user1')}\r\nContent-Length: 9\r\n\r\nnew`,
      )
      await client.until('CLIENT_IDLE')
      expect(client.text).to.match(/^HTTP\/1.1 408 /)
      client.socket.destroy()
      expect(hasty.content('/kept')).to.equal('')
    } finally {
      await hasty.stop()
    }
  })

  const refused: [string, string, number, Record<string, string>?][] = [
    ['a URL that ends with a slash', '/dav/server2/x/', 405],
    ['a folder', '/dav/server2/folder', 405],
    ['a server folder', '/dav/server2', 403],
    ['the drive', '/dav/', 405],
    ['the root', '/', 405],
    ['a missing parent', '/dav/server2/no/x', 409],
    ['a file for a parent', '/dav/server2/plain/x', 409],
    ['a server that is not there', '/dav/nosuchserver/x', 404],
    ['a read-only server', '/dav/archive/x', 403],
    ['a part of a file', '/dav/server2/plain', 400, { 'content-range': 'bytes 0-4/10' }],
    ['a compressed body', '/dav/server2/plain', 415, { 'content-encoding': 'gzip' }],
    ['If-None-Match: * on what is there', '/dav/server2/plain', 412, { 'if-none-match': '*' }],
    ['another ETag', '/dav/server2/plain', 412, { 'if-match': '"wrong"' }],
    ['If-Match on what is not there', '/dav/server2/new', 412, { 'if-match': '*' }],
    ['a false If header', '/dav/server2/plain', 412, { if: '(<opaquelocktoken:bogus>)' }],
    ['a malformed If header', '/dav/server2/plain', 400, { if: '((((' }],
    ['a proxy that lost the body of macOS', '/dav/server2/plain', 400, { 'x-expected-entity-length': '7' }],
  ]
  for (const [name, path, status, headers] of refused) {
    it(`answers ${status} to ${name} and changes nothing`, async () => {
      if (!gateway.shared.tree.has('/srv/folder')) gateway.folder('/folder')
      gateway.store('/plain', 'kept')
      const before = gateway.names()
      expect((await put(path, headers?.['x-expected-entity-length'] ? '' : 'new', headers)).status).to.be.oneOf([
        status,
        ...(path === '/dav/server2' ? [405] : []),
      ])
      expect(gateway.content('/plain')).to.equal('kept')
      expect(gateway.names()).to.deep.equal(before)
    })
  }

  it('lets one of two writers with the same If-Match win', async () => {
    const { headers } = await put('/dav/server2/race', 'start')
    const sent = { 'if-match': String(headers.etag) }
    const answers = await Promise.all([put('/dav/server2/race', 'left', sent), put('/dav/server2/race', 'right', sent)])
    expect(answers.map((answer) => answer.status).sort()).to.deep.equal([204, 412])
  })

  it('is stopped by a lock, whoever holds it, until its token comes from its owner', async () => {
    gateway.store('/locked', 'kept')
    const token = await gateway.lock('/dav/server2/locked')
    const without = await put('/dav/server2/locked', 'x')
    expect(without.status).to.equal(423)
    expect(without.body).to.contain(
      '<D:lock-token-submitted><D:href>/dav/server2/locked</D:href></D:lock-token-submitted>',
    )
    expect((await put('/dav/server2/locked', 'x', { if: `(<${token}>)` }, 'user2')).status).to.equal(423)
    expect(gateway.content('/locked')).to.equal('kept')
    expect((await put('/dav/server2/locked', 'mine', { if: `(<${token}>)` })).status).to.equal(204)
    for (const tag of [
      `${gateway.url}/dav/server2/locked`,
      'https://drive.example:8443/dav/server2/locked',
      '/dav/server2/locked',
    ]) {
      expect((await put('/dav/server2/locked', 'mine', { if: `<${tag}> (<${token}>)` })).status, tag).to.equal(204)
    }
  })

  it('wants the token although another list of the header is true (RFC 4918 section 10.4)', async () => {
    const token = await gateway.lock('/dav/server2/submitted')
    expect((await put('/dav/server2/submitted', 'x', { if: `(<${token}x>) (Not <DAV:no-lock>)` })).status).to.equal(423)
    expect((await put('/dav/server2/submitted', 'x', { if: `(<${token}>) (Not <DAV:no-lock>)` })).status).to.equal(204)
  })

  it('adds no member to a locked folder without its token', async () => {
    gateway.folder('/closed')
    const token = await gateway.lock('/dav/server2/closed', { headers: { depth: '0' } })
    expect((await put('/dav/server2/closed/new', 'x')).status).to.equal(423)
    expect((await put('/dav/server2/closed/new', 'x', { if: `</dav/server2/closed> (<${token}>)` })).status).to.equal(
      201,
    )
  })

  it('answers a wrong password before the body, without 100 Continue', async () => {
    const client = await RawClient.open(gateway.port)
    client.send(
      `PUT /dav/server2/expect HTTP/1.1\r\nHost: x\r\nAuthorization: ${basic('user1', 'no')}\r\nExpect: 100-continue\r\nContent-Length: 100000\r\n\r\n`,
    )
    await client.closed
    expect(client.text)
      .to.match(/^HTTP\/1\.1 401 /)
      .and.not.contain('100 Continue')
  })

  it('says 100 Continue only when the body is wanted', async () => {
    const client = await RawClient.open(gateway.port)
    const head = (path: string, extra = '') =>
      `PUT ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: ${basic('user1')}\r\nExpect: 100-continue\r\nContent-Length: 5\r\n${extra}\r\n`
    client.send(head('/dav/server2/expect'))
    await client.until('100 Continue')
    client.send('hello')
    await client.until('201 Created')
    client.send(head('/dav/server2/expect', 'If-None-Match: *\r\n'))
    await client.until('412 ')
    expect(client.text.split('100 Continue')).to.have.length(2)
    client.socket.destroy()
    expect(gateway.content('/expect')).to.equal('hello')
  })

  it('keeps the old file when the client leaves in the middle, and forgets the half', async () => {
    gateway.store('/cut', 'whole')
    const cut = async (headers: string, part: string) => {
      let arrived!: () => void
      const writing = new Promise<void>((resolve) => (arrived = resolve))
      gateway.shared.beforeChunk = ({ operation }) => {
        if (operation === 'write') arrived()
      }
      const client = await RawClient.open(gateway.port)
      client.send(
        `PUT /dav/server2/cut HTTP/1.1\r\nHost: x\r\nAuthorization: ${basic('user1')}\r\n${headers}\r\n\r\n${part}`,
      )
      await writing
      client.socket.destroy()
      while (gateway.names().some((name) => name.startsWith('.'))) await new Promise(setImmediate)
      expect(gateway.content('/cut')).to.equal('whole')
    }
    await cut('Content-Length: 100', 'hello')
    await cut('Transfer-Encoding: chunked', '5\r\nhello\r\n')
    gateway.heal()
    expect((await put('/dav/server2/cut', 'next')).status).to.equal(204)
  })

  it('finishes at the length that macOS announced, whether or not the last chunk comes', async () => {
    const client = await RawClient.open(gateway.port)
    client.send(
      `PUT /dav/server2/mac HTTP/1.1\r\nHost: x\r\nAuthorization: ${basic('user1')}\r\nTransfer-Encoding: chunked\r\nX-Expected-Entity-Length: 5\r\n\r\n5\r\nhello\r\n`,
    )
    await client.until('201 Created')
    client.socket.destroy()
    expect(gateway.content('/mac')).to.equal('hello')
  })

  it('answers 507 when the server is full, and 502 when it is gone', async () => {
    const failing = (code: 'NO_SPACE' | 'UNREACHABLE') => {
      gateway.shared.before = ({ operation }) => {
        if (operation === 'write') throw new StorageError(code, 'test', { inStep: code === 'NO_SPACE' })
      }
      return put('/dav/server2/full', 'x')
    }
    const full = await failing('NO_SPACE')
    expect(full.status).to.equal(507)
    expect(full.body).to.contain('sufficient-disk-space')
    expect((await failing('UNREACHABLE')).status).to.equal(502)
    expect(gateway.names()).not.to.include('full')
  })

  it('tells why an upload was ended, and keeps the old file', async () => {
    await put('/dav/server2/ended', 'old')
    gateway.shared.beforeChunk = () => gateway.endTransfers()
    const answer = await put('/dav/server2/ended', 'new')
    expect([answer.status, answer.body.includes('REVOKED')]).to.deep.equal([403, true])
    expect(gateway.content('/ended')).to.equal('old')
  })

  it('sets the time that sync clients send', async () => {
    const answer = await put('/dav/server2/timed', 'x', { 'x-oc-mtime': '1500000000' })
    expect(answer.headers).to.include({ 'last-modified': 'Fri, 14 Jul 2017 02:40:00 GMT', 'x-oc-mtime': 'accepted' })
  })

  it('keeps every name exactly', async () => {
    for (const name of ['CON', 'a.', 'a ', ' a', '-rf', '*', '[1]', '~root', 'a\\b', '%41', 'x#y', 'q?r']) {
      expect((await put(`/dav/server2/${encodeURIComponent(name)}`, name)).status, name).to.equal(201)
      expect(gateway.content(`/${name}`), name).to.equal(name)
    }
  })
})
