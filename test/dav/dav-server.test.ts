import { expect } from 'chai'
import type { ServerResponse } from 'node:http'
import { DavGateway, basic, propfind } from './dav-gateway.js'
import { RawClient } from '../support/http-server.js'
import { multistatus } from './multistatus.js'

describe('dav/dav-server', () => {
  let gateway: DavGateway
  afterEach(() => gateway.stop())

  it('answers 429 with Retry-After when authentication says so', async () => {
    gateway = await new DavGateway({
      authenticate: () => ({ ok: false, reason: 'throttled', retryAfterSeconds: 7.2 }),
    }).start()
    const answer = await gateway.send('PROPFIND', '/dav/')
    expect(answer.status).to.equal(429)
    expect(answer.headers).to.include({ 'retry-after': '8', 'content-length': '0' })
    expect(answer.headers).not.to.have.property('www-authenticate')
  })

  it('answers 503 with Retry-After when too many log in at once, and macOS 423', async () => {
    gateway = await new DavGateway({
      authenticate: () => ({ ok: false, reason: 'busy', retryAfterSeconds: 2 }),
    }).start()
    const answer = await gateway.send('PROPFIND', '/dav/')
    expect(answer.status).to.equal(503)
    expect(answer.headers).to.include({ 'retry-after': '2', 'content-length': '0' })
    expect(answer.headers).not.to.have.property('www-authenticate')
    const headers = { 'user-agent': 'WebDAVFS/3.0.0 (03008000) Darwin/24.4.0 (arm64)' }
    expect((await gateway.send('PROPFIND', '/dav/', { headers })).status).to.equal(423)
  })

  it('challenges the same on every path, there or not, valid or not', async () => {
    gateway = await new DavGateway().start()
    const headers = { authorization: basic('user1', 'wrong') }
    for (const path of ['/', '/dav/', '/dav/server2/x', '/dav/nosuchserver', '/dav/%zz', '/elsewhere']) {
      const answer = await gateway.send('PROPFIND', path, { headers })
      expect([answer.status, answer.body, answer.headers['content-length']], path).to.deep.equal([401, '', '0'])
    }
    expect(gateway.shared.calls).to.deep.equal([])
  })

  for (const [reason, hint] of [
    ['second-factor', 'app password'],
    ['password-change', 'browser'],
  ] as const) {
    it(`tells in the body what helps against ${reason}`, async () => {
      gateway = await new DavGateway({ authenticate: () => ({ ok: false, reason }) }).start()
      const answer = await gateway.send('PROPFIND', '/dav/')
      expect(answer.status).to.equal(401)
      expect(answer.headers['www-authenticate']).to.equal('Basic realm="FTPCluster", charset="UTF-8"')
      expect(answer.headers['content-type']).to.equal('text/plain; charset=utf-8')
      expect(answer.body).to.include(hint)
    })
  }

  it('keeps the connection over a challenge', async () => {
    gateway = await new DavGateway().start()
    const client = await RawClient.open(gateway.port)
    const request = (auth: string) =>
      `PROPFIND /dav/ HTTP/1.1\r\nHost: x\r\n${auth}Depth: 0\r\nContent-Length: 3\r\n\r\n<a>`
    client
      .send(request(''))
      .send(request(''))
      .send(request(`Authorization: ${basic('user1')}\r\n`))
    await client.until('HTTP/1.1 400')
    expect(client.text.match(/HTTP\/1\.1 401/g)).to.have.length(2)
    client.socket.destroy()
  })

  it('gives authentication the address that a trusted proxy vouches for, and no forged one', async () => {
    const seen: string[] = []
    let trusted = true
    gateway = await new DavGateway({
      authenticate: (header, address) => {
        seen.push(address)
        return gateway.authenticate(header)
      },
      trustProxy: (address) => trusted && (address === '127.0.0.1' || address === '10.0.0.2'),
    }).start()
    const headers = { 'x-forwarded-for': '6.6.6.6, 203.0.113.9, 10.0.0.2' }
    await gateway.send('OPTIONS', '/dav/', { headers })
    trusted = false
    await gateway.send('OPTIONS', '/dav/', { headers })
    expect(seen).to.deep.equal(['203.0.113.9', '127.0.0.1'])
  })

  it('tells the admin once why Windows does not log in over plain HTTP', async () => {
    gateway = await new DavGateway({ secure: false }).start()
    const headers = { 'user-agent': 'Microsoft-WebDAV-MiniRedir/10.0.19045', authorization: '' }
    await gateway.send('OPTIONS', '/', { headers })
    await gateway.send('OPTIONS', '/', { headers })
    expect(gateway.lines.filter((line) => line.msg.includes('BasicAuthLevel'))).to.have.length(1)
  })

  for (const [name, dependency] of [
    ['authentication', { authenticate: () => Promise.reject(new Error('secret detail')) }],
    ['the tree', { treeFor: () => Promise.reject(new Error('secret detail')) }],
  ] as const) {
    it(`answers 500 and logs when ${name} fails, and lives`, async () => {
      gateway = await new DavGateway(dependency).start()
      for (const method of ['OPTIONS', 'PROPFIND', 'PUT', 'GET']) {
        const answer = await gateway.send(method, '/dav/server2/x')
        expect(answer.status, method).to.equal(500)
        expect(answer.body).not.to.contain('secret detail')
      }
      expect(gateway.lines.filter((line) => line.level === 50)).to.have.length(4)
    })
  }

  it('answers 500 and logs when a verb throws, and lives', async () => {
    gateway = await new DavGateway({
      treeFor: ({ username }) =>
        new Proxy(gateway.treeOf(username), {
          get: () => {
            throw new TypeError('a bug')
          },
        }),
    }).start()
    for (const method of [
      'PROPFIND',
      'PROPPATCH',
      'GET',
      'HEAD',
      'PUT',
      'DELETE',
      'MKCOL',
      'COPY',
      'MOVE',
      'LOCK',
      'UNLOCK',
    ]) {
      const answer = await gateway.send(method, '/dav/server2/x', {
        headers: { 'content-length': 0, destination: '/dav/server2/y', 'lock-token': '<a>' },
      })
      expect(answer.status, method).to.be.oneOf([500, 400])
    }
  })

  it('cuts the connection when a listing fails after its first bytes: half a listing never looks whole', async () => {
    gateway = await new DavGateway().start()
    for (let i = 0; i < 1000; i++) gateway.store(`/f${i}`, 'x')
    const tree = gateway.treeOf('user1')
    tree.locks = (path) => (path.endsWith('/f900') ? Promise.reject(new TypeError('a bug')) : Promise.resolve([]))
    const body = propfind('lockdiscovery', 'getetag')
    const client = await RawClient.open(gateway.port)
    client.send(
      `PROPFIND /dav/server2/ HTTP/1.1\r\nHost: x\r\nAuthorization: ${basic('user1')}\r\nDepth: 1\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    )
    await client.closed
    expect(client.text).to.contain('207').and.not.contain('\r\n0\r\n\r\n').and.not.contain('</D:multistatus>')
    expect(gateway.lines.map((line) => line.msg)).to.include('an answer broke off')
  })

  it('answers requests of one connection in their order', async () => {
    gateway = await new DavGateway().start()
    gateway.store('/f', 'x')
    const client = await RawClient.open(gateway.port)
    const request = (path: string) =>
      `PROPFIND ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: ${basic('user1')}\r\nDepth: 0\r\n\r\n`
    for (let i = 0; i < 50; i++) client.send(request(i % 2 === 0 ? '/dav/server2/f' : '/dav/server2/no'))
    client.send(request('/dav/%zz'))
    await client.until('HTTP/1.1 400')
    const statuses = [...client.text.matchAll(/(?<!D:status>)HTTP\/1\.1 (\d{3})/g)].map(([, status]) => status)
    expect(statuses.slice(0, 50)).to.deep.equal(Array.from({ length: 50 }, (_, i) => (i % 2 === 0 ? '207' : '404')))
    client.socket.destroy()
  })

  describe('with 10,000 files in a folder', () => {
    const COUNT = 10_000
    beforeEach(async () => {
      gateway = await new DavGateway({}, 60_000).start()
      for (let i = 0; i < COUNT; i++) gateway.store(`/picture number ${i}.jpeg`, 'x')
    })

    it('lists them all with one listing on the server', async () => {
      const { body } = await gateway.send('PROPFIND', '/dav/server2/', { headers: { depth: '1' } })
      expect(multistatus(body)).to.have.length(COUNT + 1)
      expect(gateway.shared.calls.map(({ operation }) => operation)).to.deep.equal(['connect', 'list'])
    })

    it('holds no more than a few chunks for a client that does not read', async () => {
      const names = Array.from({ length: 200 }, (_, i) => `<property-number-${i}/>`).join('')
      const body = `<propfind xmlns="DAV:"><prop>${names}</prop></propfind>`
      const client = await RawClient.open(gateway.port)
      client.socket.pause()
      const answers: ServerResponse[] = []
      gateway.onRequest = (_request, response) => answers.push(response)
      client.send(
        `PROPFIND /dav/server2/ HTTP/1.1\r\nHost: x\r\nAuthorization: ${basic('user1')}\r\nDepth: 1\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      )
      let waiting = 0
      // 50 MB are more than any socket buffers; the loop goes round once for each request that is answered meanwhile.
      for (let i = 0; i < 200; i++) {
        expect((await gateway.send('OPTIONS', '/dav/')).status).to.equal(200)
        waiting = Math.max(waiting, answers[0]?.writableLength ?? 0)
      }
      expect(waiting).to.be.below(256 * 1024)
      expect(answers[0]?.writableEnded).to.equal(false)
      client.socket.destroy()
    })

    it('stops when the client leaves in the middle', async () => {
      const client = await RawClient.open(gateway.port)
      client.send(`PROPFIND /dav/server2/ HTTP/1.1\r\nHost: x\r\nAuthorization: ${basic('user1')}\r\nDepth: 1\r\n\r\n`)
      await client.until('<D:response>')
      client.socket.destroy()
      expect((await gateway.send('PROPFIND', '/dav/server2/', { headers: { depth: '0' } })).status).to.equal(207)
      expect(gateway.lines.filter((line) => line.level >= 40)).to.deep.equal([])
    })
  })
})
