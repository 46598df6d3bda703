import { expect } from 'chai'
import { DavGateway } from '../dav-gateway.js'

describe('dav OPTIONS', () => {
  const gateway = new DavGateway()
  before(() => gateway.start())
  after(() => gateway.stop())

  for (const path of ['/', '*', '/dav', '/dav/', '/dav/server2', '/dav/server2/not/there', '/dav/nosuchserver/x']) {
    it(`announces classes 1, 2, 3 on ${path} without asking a server`, async () => {
      const answer = await gateway.send('OPTIONS', path)
      expect(answer.status).to.equal(200)
      expect(answer.headers).to.include({ dav: '1, 2, 3', 'ms-author-via': 'DAV', 'content-length': '0' })
      expect(answer.headers.allow?.split(', ')).to.include.members([
        'PUT',
        'LOCK',
        'UNLOCK',
        'PROPPATCH',
        'MKCOL',
        'MOVE',
      ])
      expect(answer.headers.allow).not.to.contain('POST')
      expect(gateway.shared.calls).to.deep.equal([])
    })
  }

  it('asks for a password like every other method, so that clients learn early', async () => {
    const answer = await gateway.send('OPTIONS', '/', { headers: { authorization: 'Bearer' } })
    expect(answer.status).to.equal(401)
    expect(answer.headers).to.include({
      'content-length': '0',
      'www-authenticate': 'Basic realm="FTPCluster", charset="UTF-8"',
    })
  })

  it('answers a cross-origin preflight without a password and allows nothing', async () => {
    const headers = { authorization: '', origin: 'http://evil.example', 'access-control-request-method': 'PUT' }
    const answer = await gateway.send('OPTIONS', '/dav/', { headers })
    expect(answer.status).to.equal(200)
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).to.deep.equal([])
  })

  it('leaves no header of webdav-server behind', async () => {
    for (const method of ['OPTIONS', 'PROPFIND', 'GET']) {
      const { headers } = await gateway.send(method, '/dav/')
      for (const name of [
        'access-control-allow-origin',
        'access-control-allow-credentials',
        'www-authenticate',
        'server',
      ]) {
        expect(headers, `${method} ${name}`).not.to.have.property(name)
      }
    }
  })

  for (const method of ['POST', 'PATCH', 'TRACE', 'SEARCH', 'REPORT', 'ACL', 'PROPFINDX']) {
    it(`answers 405 or 400 to ${method}`, async () => {
      const answer = await gateway.send(method, '/dav/server2/').catch(() => undefined)
      if (!answer) return
      expect(answer.status).to.equal(method === 'PROPFINDX' ? 400 : 405)
      if (answer.status === 405) expect(answer.headers.allow).to.contain('PROPFIND')
    })
  }

  it('does not let a header change the method', async () => {
    gateway.store('/keep.txt', 'x')
    await gateway.send('GET', '/dav/server2/keep.txt', { headers: { 'x-http-method-override': 'DELETE' } })
    expect(gateway.content('/keep.txt')).to.equal('x')
  })
})
