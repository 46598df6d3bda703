import { expect } from 'chai'
import { RenderedListings } from '../../../src/dav/rendered-listings.js'
import { StorageError } from '../../../src/storage/errors.js'
import { DavGateway, lockInfo, propfind } from '../dav-gateway.js'
import { multistatus, only } from '../multistatus.js'

const FINDER_25 = 'WebDAVFS/3.0.0 (03008000) Darwin/25.0.0 (arm64)'
const FINDER_23 = 'WebDAVFS/3.0.0 (03008000) Darwin/23.6.0 (arm64)'
const WINDOWS = 'Microsoft-WebDAV-MiniRedir/10.0.19045'

describe('dav PROPFIND', () => {
  const gateway = new DavGateway({}, 60_000)
  before(async () => {
    await gateway.start()
    gateway.folder('/d')
    gateway.store('/d/a b.txt', 'hello')
    gateway.shared.tree.setModified('/srv/d/a b.txt', Date.UTC(2024, 4, 1, 10, 0, 0))
    gateway.folder('/d/sub')
  })
  after(() => gateway.stop())

  const find = (path: string, depth: string | undefined, body?: string, headers = {}) =>
    gateway.send('PROPFIND', path, {
      headers: { ...(depth === undefined ? {} : { depth }), ...headers },
      ...(body === undefined ? {} : { body }),
    })

  it('gives the live properties of a file', async () => {
    const answer = await find('/dav/server2/d/a%20b.txt', '0')
    expect(answer.status).to.equal(207)
    expect(answer.headers['content-type']).to.equal('application/xml; charset=utf-8')
    const { href, properties } = only(answer.body)
    expect(href).to.equal('/dav/server2/d/a%20b.txt')
    const texts = Object.fromEntries([...properties].map(([name, { text }]) => [name, text]))
    expect(texts).to.include({
      resourcetype: '',
      getcontentlength: '5',
      getlastmodified: 'Wed, 01 May 2024 10:00:00 GMT',
      creationdate: '2024-05-01T10:00:00Z',
      getcontenttype: 'text/plain',
    })
    const got = await gateway.send('GET', '/dav/server2/d/a%20b.txt')
    expect(texts.getetag).to.equal(got.headers.etag)
  })

  it('gives a folder a trailing slash, with and without one in the request, and no length', async () => {
    for (const path of ['/dav/server2/d', '/dav/server2/d/', '/dav//server2///d']) {
      const { href, properties } = only((await find(path, '0')).body)
      expect(href).to.equal('/dav/server2/d/')
      expect([...properties.keys()]).not.to.include('getcontentlength')
      expect(properties.get('resourcetype')?.element.children).to.have.length(1)
    }
  })

  it('lists members with one listing, hrefs below the one asked for', async () => {
    gateway.shared.calls.length = 0
    const hrefs = multistatus(
      (await find('/dav/server2/d/', '1', undefined, { 'cache-control': 'no-cache' })).body,
    ).map((r) => r.href)
    expect(hrefs).to.have.members(['/dav/server2/d/', '/dav/server2/d/a%20b.txt', '/dav/server2/d/sub/'])
    expect(gateway.shared.calls.map((call) => call.operation)).to.deep.equal(['list'])
  })

  it('answers a second listing from what it knows', async () => {
    await find('/dav/server2/d/', '1')
    gateway.shared.calls.length = 0
    await find('/dav/server2/d/', '1')
    expect((await find('/dav/server2/d/desktop.ini', '0')).status).to.equal(404)
    expect(gateway.shared.calls).to.deep.equal([])
  })

  describe('of a folder that was listed before', () => {
    before(async () => {
      await gateway.send('MKCOL', '/dav/server2/again')
      for (const name of ['one', 'two']) await gateway.send('PUT', `/dav/server2/again/${name}`, { body: 'x' })
    })

    const listed = async (body?: string) => (await find('/dav/server2/again/', '1', body)).body
    const changes: Record<string, () => Promise<{ status: number }>> = {
      'an upload': () => gateway.send('PUT', '/dav/server2/again/new', { body: 'abc' }),
      'a new version': () => gateway.send('PUT', '/dav/server2/again/new', { body: 'abcd' }),
      'another user': () => gateway.send('PUT', '/dav/server2/again/theirs', { body: 'abc', user: 'user2' }),
      'a new folder': () => gateway.send('MKCOL', '/dav/server2/again/sub'),
      'a removal': () => gateway.send('DELETE', '/dav/server2/again/one'),
      'a move': () =>
        gateway.send('MOVE', '/dav/server2/again/two', {
          headers: { destination: `${gateway.url}/dav/server2/again/three` },
        }),
      'a stored property': () =>
        gateway.send('PROPPATCH', '/dav/server2/again/three', {
          body: '<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><x xmlns="urn:x">v</x></D:prop></D:set></D:propertyupdate>',
        }),
    }
    for (const [what, change] of Object.entries(changes)) {
      it(`shows what ${what} changed, and the same again until then`, async () => {
        const before = await listed()
        expect(await listed()).to.equal(before)
        const answer = await change()
        expect(answer.status).to.be.oneOf([201, 204, 207])
        const after = await listed()
        expect(after).not.to.equal(before)
        const fresh = await find('/dav/server2/again/', '1', undefined, { 'cache-control': 'no-cache' })
        expect(multistatus(after).map(({ href }) => href)).to.have.members(
          multistatus(fresh.body).map(({ href }) => href),
        )
      })
    }

    it('keeps nothing of single resources, which would push out what is asked for again', async () => {
      // eslint-disable-next-line @typescript-eslint/unbound-method -- it is called on what it belongs to
      const { find: original } = RenderedListings.prototype
      let asked = 0
      RenderedListings.prototype.find = function (...args) {
        asked++
        return original.apply(this, args)
      }
      try {
        await find('/dav/server2/again/', '0')
        await find('/dav/server2/again/three', '1')
        expect(asked).to.equal(0)
        await find('/dav/server2/again/', '1')
        expect(asked).to.equal(1)
      } finally {
        RenderedListings.prototype.find = original
      }
    })

    it('gives each client the properties that it asks for', async () => {
      const all = await listed()
      expect(await listed(propfind('getetag')))
        .to.contain('getetag')
        .and.not.to.contain('getcontentlength')
      const minimal = await find('/dav/server2/again/', '1', propfind('nonsense'), { prefer: 'return=minimal' })
      expect(minimal.body).not.to.contain('nonsense')
      expect(await listed(propfind('nonsense'))).to.contain('nonsense')
      const windows = await find('/dav/server2/again/', '1', undefined, { 'user-agent': WINDOWS })
      expect(windows.body).not.to.contain('getetag')
      expect(await listed()).to.equal(all)
    })

    it('shows locks as they are', async () => {
      const asked = propfind('lockdiscovery')
      const before = await listed(asked)
      const lock = await gateway.send('LOCK', '/dav/server2/again/three', { body: lockInfo() })
      expect(lock.status).to.equal(200)
      expect(await listed(asked)).not.to.equal(before)
    })
  })

  it('takes a missing Depth for 1', async () => {
    expect(multistatus((await find('/dav/server2/d', undefined)).body)).to.have.length(3)
  })

  it('refuses Depth: infinity with the condition that RFC 4918 names', async () => {
    const answer = await find('/dav/', 'infinity')
    expect(answer.status).to.equal(403)
    expect(answer.body).to.contain('<D:propfind-finite-depth/>')
  })

  it('answers Depth 1 of a file with the file', async () => {
    expect(only((await find('/dav/server2/d/a%20b.txt', '1')).body).href).to.equal('/dav/server2/d/a%20b.txt')
  })

  it('shows the servers at /dav/ and the drive at /, and asks no server for it', async () => {
    gateway.shared.calls.length = 0
    gateway.archive.calls.length = 0
    expect(multistatus((await find('/dav/', '1')).body).map((r) => r.href)).to.have.members([
      '/dav/',
      '/dav/server2/',
      '/dav/archive/',
    ])
    expect(multistatus((await find('/', '1')).body).map((r) => r.href)).to.deep.equal(['/', '/dav/'])
    expect(only((await find('/', '0')).body).href).to.equal('/')
    expect([...gateway.shared.calls, ...gateway.archive.calls]).to.deep.equal([])
  })

  it('answers 404, not 207, for what is not there or not permitted', async () => {
    for (const path of [
      '/dav/server2/no',
      '/dav/server2/no/',
      '/dav/nosuchserver',
      '/dav/nosuchserver/x',
      '/other',
      '/davenport',
    ]) {
      expect((await find(path, '0')).status, path).to.equal(404)
    }
    expect((await gateway.send('PROPFIND', '/dav/archive', { user: 'user2' })).status).to.equal(404)
  })

  it('puts names that are not there into a 404 propstat, empty', async () => {
    const body =
      '<propfind xmlns="DAV:"><prop><getetag/><x xmlns="urn:x"/><nons xmlns=""/><displayname/></prop></propfind>'
    const { properties } = only((await find('/dav/server2/d', '0', body)).body)
    expect(Object.fromEntries([...properties].map(([name, { status, text }]) => [name, [status, text]]))).to.deep.equal(
      {
        getetag: [404, ''],
        '{urn:x}x': [404, ''],
        '{}nons': [404, ''],
        displayname: [200, 'd'],
      },
    )
  })

  it('leaves 404 propstats out when asked to be brief', async () => {
    for (const headers of [{ prefer: 'return=minimal' }, { brief: 't' }]) {
      const answer = await find('/dav/server2/d', '0', propfind('getetag', 'resourcetype'), headers)
      expect([...only(answer.body).properties.keys()]).to.deep.equal(['resourcetype'])
      if ('prefer' in headers) expect(answer.headers['preference-applied']).to.equal('return=minimal')
    }
    const nothing = await find('/dav/server2/d', '0', propfind('getetag'), { brief: 't' })
    expect(only(nothing.body).properties.size).to.equal(0)
  })

  it('gives names alone for propname', async () => {
    const { properties } = only(
      (await find('/dav/server2/d/a%20b.txt', '0', '<propfind xmlns="DAV:"><propname/></propfind>')).body,
    )
    expect([...properties.keys()]).to.include.members(['getetag', 'supportedlock', 'lockdiscovery', 'displayname'])
    expect([...properties.values()].every(({ text }) => text === '')).to.equal(true)
  })

  it('adds what allprop includes, and quotas only then', async () => {
    const all = only((await find('/dav/server2/d', '0')).body)
    expect([...all.properties.keys()]).not.to.include.members(['quota-available-bytes'])
    const body = '<propfind xmlns="DAV:"><allprop/><include><quota-used-bytes/><supportedlock/></include></propfind>'
    const { properties } = only((await find('/dav/server2/d', '0', body)).body)
    expect(properties.get('quota-used-bytes')?.text).to.match(/^\d+$/)
    expect(properties.get('supportedlock')?.element.children).to.have.length(2)
  })

  it('keeps quotas from the systems that hang on them', async () => {
    const body = propfind('quota-available-bytes', 'quota-used-bytes', 'quota', 'quotaused')
    const statuses = async (agent: string) =>
      [...only((await find('/dav/server2/', '0', body, { 'user-agent': agent })).body).properties.values()].map(
        (p) => p.status,
      )
    expect(await statuses(FINDER_25)).to.deep.equal([404, 404, 404, 404])
    expect(await statuses(FINDER_23)).to.deep.equal([200, 200, 404, 404])
  })

  it('asks for stored properties when they can matter, and once for a folder', async () => {
    gateway.folder('/asked')
    gateway.folder('/asked/sub')
    const { properties } = gateway
    const questionsFor = async (path: string, body: string | undefined) => {
      properties.questions = 0
      await find(path, '1', body)
      return properties.questions
    }
    const known = propfind('getlastmodified', 'getcontentlength', 'resourcetype', 'displayname', 'quota')
    expect(await questionsFor('/dav/server2/asked', known)).to.equal(0)
    expect(await questionsFor('/dav/server2/asked', undefined)).to.equal(1)
    expect(await questionsFor('/dav/server2/asked', undefined)).to.equal(0)
    const unknown = '<propfind xmlns="DAV:"><prop><x xmlns="urn:x"/></prop></propfind>'
    expect(await questionsFor('/dav/server2/asked/sub', unknown)).to.equal(1)
  })

  it('shows locks when asked, on members of a locked folder too, and puts no href into listings otherwise', async () => {
    gateway.folder('/locked')
    gateway.store('/locked/x', '')
    const token = await gateway.lock('/dav/server2/locked')
    const { properties } = only((await find('/dav/server2/locked/x', '0', propfind('lockdiscovery'))).body)
    expect(properties.get('lockdiscovery')?.text)
      .to.contain(token)
      .and.contain('/dav/server2/locked')
      .and.contain('infinity')
    expect((await find('/dav/server2/locked', '1')).body).not.to.contain(token)
    multistatus((await find('/dav/server2/locked', '1', propfind('lockdiscovery'))).body)
  })

  it('is well-formed for any name, and its hrefs lead back to the files', async () => {
    gateway.folder('/names')
    const names = [
      'a&b',
      'a&amp;b',
      '<x>',
      ']]>',
      '100%',
      '%41',
      'a#b',
      'a?b',
      'a;b',
      "it's",
      '"q"',
      ' lead',
      'trail ',
      '\u{1f600}',
      'e\u0301',
      '\u00e9',
      'a+b',
      'a\\b',
      '-rf',
      '*',
      '[1]',
      '~root',
      '\ufffe',
    ]
    for (const name of names) gateway.store(`/names/${name}`, name)
    const found = multistatus((await find('/dav/server2/names', '1', propfind('displayname'))).body).slice(1)
    expect(found).to.have.length(names.length)
    for (const { href } of found) {
      const answer = await gateway.send('GET', href)
      expect([answer.status, answer.body], href).to.deep.equal([200, decodeURIComponent(href.split('/').at(-1) ?? '')])
    }
  })

  it('keeps the form of the name that the client used in the hrefs of members', async () => {
    gateway.folder('/caf\u00e9')
    gateway.store('/caf\u00e9/x', '')
    const answer = await find('/dav/server2/cafe%CC%81/', '1', undefined, { 'user-agent': FINDER_23 })
    expect(multistatus(answer.body).map((r) => r.href)).to.deep.equal([
      '/dav/server2/cafe%CC%81/',
      '/dav/server2/cafe%CC%81/x',
    ])
  })

  it('finds names in another case for Windows alone', async () => {
    expect((await find('/dav/server2/D/A%20B.TXT', '0', undefined, { 'user-agent': WINDOWS })).status).to.equal(207)
    expect((await find('/dav/server2/D/A%20B.TXT', '0')).status).to.equal(404)
  })

  it('stays below the million bytes that Windows reads, for 3,000 files', async () => {
    gateway.folder('/many')
    for (let i = 0; i < 3000; i++) gateway.store(`/many/some holiday picture ${i}.jpeg`, '')
    const { body } = await find('/dav/server2/many', '1', undefined, { 'user-agent': WINDOWS })
    expect(multistatus(body)).to.have.length(3001)
    expect(body.length).to.be.below(1_000_000)
    expect(body).to.contain('getlastmodified').and.contain('getcontentlength').and.contain('resourcetype')
  })

  it('never answers an empty listing for a server that failed', async () => {
    gateway.shared.before = ({ operation }) => {
      if (operation === 'list' || operation === 'stat') throw new StorageError('TIMED_OUT', 'slow')
    }
    const headers = { 'cache-control': 'no-cache' }
    const statuses = await Promise.all([
      find('/dav/server2/d', '1', undefined, headers),
      find('/dav/server2/d', '1', undefined, { ...headers, 'user-agent': FINDER_23 }),
    ])
    gateway.shared.before = () => {}
    expect(statuses.map((answer) => answer.status)).to.deep.equal([504, 423])
  })

  it('judges the If header', async () => {
    expect((await find('/dav/server2/d', '0', undefined, { if: '(<urn:x>)' })).status).to.equal(412)
    expect((await find('/dav/server2/d', '0', undefined, { if: '(Not <urn:x>)' })).status).to.equal(207)
    expect((await find('/dav/server2/no', '0', undefined, { if: '(<urn:x>)' })).status).to.equal(412)
  })

  it('takes a chunked body for what it says', async () => {
    const headers = { 'transfer-encoding': 'chunked' }
    const { properties } = only((await find('/dav/server2/d', '0', propfind('resourcetype'), headers)).body)
    expect([...properties.keys()]).to.deep.equal(['resourcetype'])
  })

  const bodies: [string, string, number][] = [
    ['unknown elements beside allprop', '<D:propfind xmlns:D="DAV:"><D:foobar/><D:allprop/></D:propfind>', 207],
    ['no property at all', '<propfind xmlns="DAV:"><prop/></propfind>', 207],
    ['300 names', propfind(...Array.from({ length: 300 }, (_, i) => `p${i}`)), 207],
    [
      'names of object members',
      '<propfind xmlns="DAV:"><prop><__proto__/><constructor/><toString xmlns=""/></prop></propfind>',
      207,
    ],
    ['nothing asked', '<propfind xmlns="DAV:"/>', 400],
    ['two questions', '<propfind xmlns="DAV:"><prop/><allprop/></propfind>', 400],
    ['another document', lockInfo(), 400],
    ['half a document', '<propfind xmlns="DAV:"><prop>', 400],
    ['64 KiB and more', `<propfind xmlns="DAV:"><!--${'x'.repeat(66_000)}--><allprop/></propfind>`, 413],
  ]
  for (const [name, body, status] of bodies) {
    it(`answers ${status} to a body with ${name}`, async () =>
      expect((await find('/dav/server2/d', '0', body)).status).to.equal(status))
  }
})
