import { expect } from 'chai'
import { DavGateway, lockInfo, type Sent } from '../dav-gateway.js'
import { multistatus } from '../multistatus.js'
import { davChild, readXml, textOf, type XmlElement } from '../../../src/dav/xml-reader.js'

function activeLock(body: string): XmlElement {
  const root = readXml(Buffer.from(body), { depth: 32, elements: 500 })
  const discovery = davChild(root, 'lockdiscovery')
  const active = discovery && davChild(discovery, 'activelock')
  if (!active) throw new Error(body)
  return active
}

function part(active: XmlElement, name: string): string {
  const child = davChild(active, name)
  return child ? textOf(child) : ''
}

describe('dav LOCK and UNLOCK', () => {
  const gateway = new DavGateway()
  before(() => gateway.start())
  after(() => gateway.stop())

  let next = 0
  /** A file that nobody touched yet. */
  const file = () => {
    gateway.store(`/file${++next}`, 'x')
    return `/dav/server2/file${next}`
  }
  const folder = () => {
    gateway.folder(`/folder${++next}`)
    gateway.store(`/folder${next}/x`, 'x')
    return `/dav/server2/folder${next}`
  }
  const lock = (path: string, sent: Sent = {}) => gateway.send('LOCK', path, { body: lockInfo(), ...sent })
  const unlock = (path: string, token: string | undefined, user = 'user1') =>
    gateway.send('UNLOCK', path, { user, headers: token === undefined ? {} : { 'lock-token': token } })

  it('answers 200 with the token in header and body, everything in the DAV: namespace', async () => {
    const path = file()
    const answer = await lock(path, {
      headers: { timeout: 'Second-600', depth: '0' },
      body: lockInfo('exclusive', '<D:owner><D:href>http://www.apple.com/webdav_fs/</D:href></D:owner>'),
    })
    expect(answer.status).to.equal(200)
    expect(answer.headers['lock-token']).to.match(/^<opaquelocktoken:[0-9a-f-]{36}>$/)
    const active = activeLock(answer.body)
    expect(`<${part(active, 'locktoken')}>`).to.equal(answer.headers['lock-token'])
    expect([
      part(active, 'depth'),
      part(active, 'timeout'),
      part(active, 'lockroot'),
      part(active, 'owner'),
    ]).to.deep.equal(['0', 'Second-600', path, 'http://www.apple.com/webdav_fs/'])
    expect(answer.body)
      .to.contain('<D:lockscope><D:exclusive/></D:lockscope>')
      .and.contain('<D:locktype><D:write/></D:locktype>')
  })

  it('takes a missing Depth for infinity', async () => {
    expect(part(activeLock((await lock(file())).body), 'depth')).to.equal('infinity')
  })

  it('makes an empty file with 201 where nothing is', async () => {
    const answer = await lock('/dav/server2/unmapped')
    expect(answer.status).to.equal(201)
    expect(gateway.content('/unmapped')).to.equal('')
    expect((await lock('/dav/server2/no/unmapped')).status).to.equal(409)
  })

  it('honours If-None-Match: *, as davfs2 makes files', async () => {
    const headers = { 'if-none-match': '*' }
    expect((await lock(file(), { headers })).status).to.equal(412)
    expect((await lock('/dav/server2/davfs', { headers })).status).to.equal(201)
  })

  const timeouts: [string | undefined, string][] = [
    [undefined, 'Second-3600'],
    ['Infinite', 'Second-3600'],
    ['Infinite, Second-4100000000', 'Second-3600'],
    ['Second-99999999999', 'Second-3600'],
    ['Second-180', 'Second-180'],
  ]
  for (const [timeout, granted] of timeouts) {
    it(`grants ${granted} for ${timeout ?? 'no Timeout'}`, async () => {
      const answer = await lock(file(), { headers: timeout === undefined ? {} : { timeout } })
      expect(part(activeLock(answer.body), 'timeout')).to.equal(granted)
    })
  }

  it('lets nobody else lock exclusively, the same user included, and says who is in the way', async () => {
    const path = file()
    await lock(path)
    for (const user of ['user1', 'user2']) {
      const answer = await lock(path, { user })
      expect(answer.status).to.equal(423)
      expect(answer.body).to.contain(`<D:no-conflicting-lock><D:href>${path}</D:href></D:no-conflicting-lock>`)
    }
  })

  it('lets shared locks stand side by side, and none beside an exclusive one', async () => {
    const path = file()
    const shared = { body: lockInfo('shared') }
    expect((await lock(path, shared)).status).to.equal(200)
    expect((await lock(path, { ...shared, user: 'user2' })).status).to.equal(200)
    expect((await lock(path)).status).to.equal(423)
  })

  it('does not lock a folder over a locked member', async () => {
    const path = folder()
    await lock(`${path}/x`, { user: 'user2' })
    const answer = await lock(path)
    expect(answer.status).to.equal(207)
    expect(multistatus(answer.body).map(({ href, status }) => [href, status])).to.deep.equal([
      [`${path}/x`, 423],
      [path, 424],
    ])
    expect((await lock(path, { headers: { depth: '0' } })).status).to.equal(200)
  })

  it('refreshes with If and no body, at the resource and at any member', async () => {
    const path = folder()
    const token = await gateway.lock(path, { headers: { timeout: 'Second-100' } })
    for (const target of [path, `${path}/x`]) {
      const answer = await gateway.send('LOCK', target, { headers: { if: `(<${token}>)`, timeout: 'Second-900' } })
      expect(answer.status, target).to.equal(200)
      expect(part(activeLock(answer.body), 'timeout')).to.equal('Second-900')
      expect(part(activeLock(answer.body), 'locktoken')).to.equal(token)
    }
  })

  it('refreshes nothing with a wrong token or another user’s', async () => {
    const path = file()
    const token = await gateway.lock(path)
    expect((await gateway.send('LOCK', path, { headers: { if: '(<opaquelocktoken:bogus>)' } })).status).to.equal(412)
    expect((await gateway.send('LOCK', path, { headers: { if: '(Not <urn:x>)' } })).status).to.equal(412)
    expect((await gateway.send('LOCK', path, { headers: { if: `(<${token}>)` }, user: 'user2' })).status).to.equal(403)
  })

  const refused: [string, Sent, number][] = [
    ['neither body nor If', { body: '' }, 400],
    ['Depth: 1', { headers: { depth: '1' } }, 400],
    ['Timeout: -1', { headers: { timeout: '-1' } }, 400],
    ['an unknown scope', { body: lockInfo('foo') }, 400],
    ['another document', { body: '<propfind xmlns="DAV:"><allprop/></propfind>' }, 400],
    ['no XML', { body: 'lock this' }, 400],
    ['an owner of 60 KB', { body: lockInfo('exclusive', `<D:owner>${'x'.repeat(60_000)}</D:owner>`) }, 413],
    ['a body above 64 KiB', { body: 'x'.repeat(70_000) }, 413],
    ['a false If', { headers: { if: '(<urn:x>)' } }, 412],
  ]
  for (const [name, sent, status] of refused) {
    it(`answers ${status} to ${name}`, async () => expect((await lock(file(), sent)).status).to.equal(status))
  }

  for (const [path, status] of [
    ['/', 403],
    ['/dav/', 403],
    ['/dav/archive', 403],
    ['/dav/nosuchserver/x', 404],
    ['/dav/server2/nofolder/', 409],
  ] as const) {
    it(`answers ${status} to LOCK ${path}`, async () => expect((await lock(path)).status).to.equal(status))
  }

  it('answers 403 to a lock on a read-only file', async () => {
    gateway.archive.tree.open('/old/book', { exclusive: false, mode: undefined })
    expect((await lock('/dav/archive/book')).status).to.equal(403)
  })

  it('UNLOCK answers 204, and the resource is free', async () => {
    const path = file()
    const token = await gateway.lock(path)
    const answer = await unlock(path, `<${token}>`)
    expect(answer.status).to.equal(204)
    expect(answer.headers).not.to.have.property('content-length')
    expect((await gateway.send('PUT', path, { body: 'free' })).status).to.equal(204)
  })

  it('UNLOCK works at a member of a locked folder', async () => {
    const path = folder()
    const token = await gateway.lock(path)
    expect((await unlock(`${path}/x`, `<${token}>`)).status).to.equal(204)
  })

  it('UNLOCK is told what is wrong', async () => {
    const path = file()
    const token = await gateway.lock(path)
    expect((await unlock(path, undefined)).status).to.equal(400)
    expect((await unlock(path, token)).status).to.equal(400)
    const unknown = await unlock(path, '<opaquelocktoken:bogus>')
    expect(unknown.status).to.equal(409)
    expect(unknown.body).to.contain('lock-token-matches-request-uri')
    expect((await unlock(file(), `<${token}>`)).status).to.equal(409)
    expect((await unlock(path, `<${token}>`, 'user2')).status).to.equal(403)
    expect((await unlock(path, `<${token}>`)).status).to.equal(204)
  })

  it('a user’s lock binds the other who sees the same file', async () => {
    const path = file()
    const token = await gateway.lock(path, { user: 'user2' })
    expect((await gateway.send('PUT', path, { body: 'x' })).status).to.equal(423)
    await unlock(path, `<${token}>`, 'user2')
    expect((await gateway.send('PUT', path, { body: 'x' })).status).to.equal(204)
  })

  it('asks no server to lock or unlock what was just looked at', async () => {
    const quiet = await new DavGateway({}, 60_000).start()
    quiet.store('/f', 'x')
    await quiet.send('PROPFIND', '/dav/server2/', { headers: { depth: '1' } })
    quiet.shared.calls.length = 0
    const token = await quiet.lock('/dav/server2/f')
    await quiet.send('UNLOCK', '/dav/server2/f', { headers: { 'lock-token': `<${token}>` } })
    expect(quiet.shared.calls).to.deep.equal([])
    await quiet.stop()
  })
})
