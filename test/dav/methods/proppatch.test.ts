import { expect } from 'chai'
import { StorageError } from '../../../src/storage/errors.js'
import { DavGateway } from '../dav-gateway.js'
import { only } from '../multistatus.js'

const WIN32 = 'urn:schemas-microsoft-com:'
const JUNE = 'Fri, 15 Jun 2018 12:26:41 GMT'

describe('dav PROPPATCH', () => {
  const gateway = new DavGateway()
  before(() => gateway.start())
  after(() => gateway.stop())
  beforeEach(() => gateway.store('/f', 'content'))

  const patch = (inside: string, headers: Record<string, string> = {}, path = '/dav/server2/f', user = 'user1') =>
    gateway.send('PROPPATCH', path, {
      headers,
      user,
      body: `<?xml version="1.0"?><D:propertyupdate xmlns:D="DAV:" xmlns:x="urn:x" xmlns:Z="${WIN32}">${inside}</D:propertyupdate>`,
    })
  const set = (inside: string) => `<D:set><D:prop>${inside}</D:prop></D:set>`
  const remove = (inside: string) => `<D:remove><D:prop>${inside}</D:prop></D:remove>`
  const statuses = (body: string) =>
    Object.fromEntries([...only(body).properties].map(([name, { status }]) => [name, status]))

  async function read(name: string, namespace = 'urn:x', path = '/dav/server2/f') {
    const body = `<propfind xmlns="DAV:"><prop><${name} xmlns="${namespace}"/></prop></propfind>`
    const answer = await gateway.send('PROPFIND', path, { headers: { depth: '0' }, body })
    const property = only(answer.body).properties.get(namespace === 'DAV:' ? name : `{${namespace}}${name}`)
    return property?.status === 200 ? property : undefined
  }

  const modified = () => gateway.shared.tree.stat('/srv/f').modified

  it('stores, shows, replaces and removes a property', async () => {
    const first = await patch(set('<x:author>Ada</x:author>'))
    expect(first.status).to.equal(207)
    expect(statuses(first.body)).to.deep.equal({ '{urn:x}author': 200 })
    expect((await read('author'))?.text).to.equal('Ada')
    await patch(set('<x:author>Grace</x:author>'))
    expect((await read('author'))?.text).to.equal('Grace')
    await patch(remove('<x:author/>'))
    expect(await read('author')).to.equal(undefined)
    expect(statuses((await patch(remove('<x:author/>'))).body)).to.deep.equal({ '{urn:x}author': 200 })
  })

  it('works in document order', async () => {
    await patch(remove('<x:o/>') + set('<x:o>1</x:o>') + set('<x:o>2</x:o>'))
    expect((await read('o'))?.text).to.equal('2')
    await patch(set('<x:o>3</x:o>') + remove('<x:o/>'))
    expect(await read('o')).to.equal(undefined)
  })

  it('changes all or nothing', async () => {
    const answer = await patch(set('<x:a>1</x:a><D:getcontentlength>9</D:getcontentlength>') + remove('<D:getetag/>'))
    expect(statuses(answer.body)).to.deep.equal({ '{urn:x}a': 424, getcontentlength: 403, getetag: 403 })
    expect(answer.body).to.contain('<D:cannot-modify-protected-property/>')
    expect(await read('a')).to.equal(undefined)
  })

  it('keeps values as XML: mixed content, namespaces, languages, the highest plane, no namespace', async () => {
    await patch(set('<x:v xml:lang="de">a <b xmlns="urn:b" k="1">&#65536;</b> c</x:v><plain xmlns="">p</plain>'))
    const value = await read('v')
    expect(value?.text).to.equal('a \u{10000} c')
    expect(value?.element.lang).to.equal('de')
    expect(value?.element.children[1]).to.include({ namespace: 'urn:b', name: 'b' })
    expect((await read('plain', ''))?.text).to.equal('p')
  })

  it('shows stored properties in allprop, and takes them along on COPY and MOVE', async () => {
    await patch(set('<x:tag>t</x:tag>'))
    await gateway.send('COPY', '/dav/server2/f', { headers: { destination: '/dav/server2/g' } })
    await gateway.send('MOVE', '/dav/server2/g', { headers: { destination: '/dav/server2/h' } })
    expect((await read('tag', 'urn:x', '/dav/server2/h'))?.text).to.equal('t')
    const all = await gateway.send('PROPFIND', '/dav/server2/h', { headers: { depth: '0' } })
    expect([...only(all.body).properties.keys()]).to.include('{urn:x}tag')
    await gateway.send('DELETE', '/dav/server2/h')
    await gateway.send('PUT', '/dav/server2/h', { body: 'new' })
    expect(await read('tag', 'urn:x', '/dav/server2/h')).to.equal(undefined)
  })

  const explorer = `<Z:Win32CreationTime>${JUNE}</Z:Win32CreationTime><Z:Win32LastAccessTime>${JUNE}</Z:Win32LastAccessTime><Z:Win32LastModifiedTime>${JUNE}</Z:Win32LastModifiedTime><Z:Win32FileAttributes>00000020</Z:Win32FileAttributes>`

  it('takes the four properties of Explorer, sets the time and stores none', async () => {
    const answer = await patch(set(explorer))
    expect(Object.values(statuses(answer.body))).to.deep.equal([200, 200, 200, 200])
    expect(modified()).to.equal(Date.parse(JUNE))
    expect(await read('Win32LastModifiedTime', WIN32)).to.equal(undefined)
    const { body } = await gateway.send('PROPFIND', '/dav/server2/f', { headers: { depth: '0' } })
    expect(only(body).properties.get('getlastmodified')?.text).to.equal(JUNE)
  })

  it('takes them on a folder too', async () => {
    if (!gateway.shared.tree.has('/srv/folder')) gateway.folder('/folder')
    expect(Object.values(statuses((await patch(set(explorer), {}, '/dav/server2/folder')).body))).to.deep.equal([
      200, 200, 200, 200,
    ])
  })

  it('takes them without the token of the own lock, and never for another user', async () => {
    const token = await gateway.lock('/dav/server2/f')
    expect((await patch(set(explorer))).status).to.equal(207)
    expect(modified()).to.equal(Date.parse(JUNE))
    expect((await patch(set('<x:a>1</x:a>'))).status).to.equal(423)
    expect((await patch(set(explorer), {}, '/dav/server2/f', 'user2')).status).to.equal(423)
    expect(statuses((await patch(set('<x:a>1</x:a>'), { if: `(<${token}>)` })).body)).to.deep.equal({ '{urn:x}a': 200 })
    await gateway.send('UNLOCK', '/dav/server2/f', { headers: { 'lock-token': `<${token}>` } })
  })

  it('leaves the time of an empty locked file alone: the content is still to come', async () => {
    const token = await gateway.lock('/dav/server2/fresh')
    gateway.shared.calls.length = 0
    expect((await patch(set(explorer), { if: `(<${token}>)` }, '/dav/server2/fresh')).status).to.equal(207)
    expect(gateway.shared.count('setModified')).to.equal(0)
  })

  for (const [name, value, time] of [
    ['getlastmodified', JUNE, Date.parse(JUNE)],
    ['lastmodified', '1500000000', 1_500_000_000_000],
    ['lastmodified', '1500000000.25', 1_500_000_000_250],
  ] as const) {
    it(`sets the time by DAV:${name} of ${value}`, async () => {
      expect(statuses((await patch(set(`<D:${name}>${value}</D:${name}>`))).body)).to.deep.equal({ [name]: 200 })
      expect(modified()).to.equal(time)
    })
  }

  it('says so when the server cannot set times', async () => {
    if (!gateway.shared.tree.has('/srv/folder')) gateway.folder('/folder')
    const answer = await patch(
      set('<D:lastmodified>1500000000</D:lastmodified><x:a>1</x:a>'),
      {},
      '/dav/server2/folder',
    )
    expect(statuses(answer.body)).to.deep.equal({ lastmodified: 409, '{urn:x}a': 424 })
  })

  const refused: [string, string, string, number][] = [
    ['nothing there', '/dav/server2/no', set('<x:a/>'), 404],
    ['a read-only server', '/dav/archive', set('<x:a/>'), 403],
    ['the root', '/', set('<x:a/>'), 403],
    ['the drive', '/dav/', set('<x:a/>'), 403],
    ['nothing to change', '/dav/server2/f', '', 400],
    ['a set without a prop', '/dav/server2/f', '<D:set/>', 400],
    ['bad XML', '/dav/server2/f', '<D:set>', 400],
  ]
  for (const [name, path, inside, status] of refused) {
    it(`answers ${status} to ${name}`, async () => expect((await patch(inside, {}, path)).status).to.equal(status))
  }

  it('answers 400 to no body, and the server’s status to a server that failed', async () => {
    expect((await gateway.send('PROPPATCH', '/dav/server2/f')).status).to.equal(400)
    gateway.shared.before = ({ operation }) => {
      if (operation === 'setModified') throw new StorageError('TIMED_OUT', 'test')
    }
    expect((await patch(set(`<D:getlastmodified>${JUNE}</D:getlastmodified>`))).status).to.equal(504)
    gateway.heal()
  })
})
