import { expect } from 'chai'
import { StorageError } from '../../../src/storage/errors.js'
import { RawClient } from '../../support/http-server.js'
import { DavGateway, basic } from '../dav-gateway.js'
import { multistatus, only } from '../multistatus.js'
import { Replay, type Step } from './replay.js'

const AGENT = { 'user-agent': 'WebDAVFS/3.0.0 (03008000) Darwin/24.1.0 (arm64)', accept: '*/*' }
const propertyBody = (...names: string[]) =>
  `<?xml version="1.0" encoding="utf-8"?>\n<D:propfind xmlns:D="DAV:">\n<D:prop>\n${names.map((name) => `<D:${name}/>\n`).join('')}</D:prop>\n</D:propfind>\n`
const P4 = propertyBody('getlastmodified', 'getcontentlength', 'creationdate', 'resourcetype')
const PQ = propertyBody('quota-available-bytes', 'quota-used-bytes', 'quota', 'quotaused')
const PE = propertyBody('resourcetype')
const LOCK_BODY =
  '<?xml version="1.0" encoding="utf-8"?>\n<D:lockinfo xmlns:D="DAV:">\n<D:lockscope><D:exclusive/></D:lockscope>\n<D:locktype><D:write/></D:locktype>\n<D:owner>\n<D:href>http://www.apple.com/webdav_fs/</D:href>\n</D:owner>\n</D:lockinfo>\n'

const look = (path: string, status: number, depth = '0', body = P4): Step => ({
  method: 'PROPFIND',
  path,
  headers: { depth, 'content-type': 'text/xml' },
  body,
  status,
})
const lock = (path: string, status: Step['status'] = 200): Step => ({
  method: 'LOCK',
  path,
  headers: { depth: '0', timeout: 'Second-600', 'content-type': 'text/xml; charset="utf-8"' },
  body: LOCK_BODY,
  status,
})
const refresh = (path: string): Step => ({
  method: 'LOCK',
  path,
  headers: { depth: '0', timeout: 'Second-600', 'content-type': 'text/xml', if: '(<{T}>)', 'content-length': 0 },
  status: 200,
})
const stream = (path: string, body: string, status: Step['status'] = 204): Step => ({
  method: 'PUT',
  path,
  headers: { 'transfer-encoding': 'chunked', 'x-expected-entity-length': Buffer.byteLength(body), if: '(<{T}>)' },
  body,
  status,
})
const create = (path: string, status: Step['status'] = 201): Step => ({
  method: 'PUT',
  path,
  headers: { 'content-length': 0 },
  status,
})
const unlock = (path: string): Step => ({ method: 'UNLOCK', path, headers: { 'lock-token': '<{T}>' }, status: 204 })
const plain = (method: string, path: string, status: Step['status'], headers = {}): Step => ({
  method,
  path,
  status,
  headers,
})

const S = '/dav/server2'

for (const challenged of [false, true]) {
  describe(`dav: what macOS sends${challenged ? ', each request first without a password' : ''}`, () => {
    let gateway: DavGateway
    let finder: Replay
    beforeEach(async () => {
      gateway = await new DavGateway({}, 60_000).start()
      gateway.folder('/d')
      finder = new Replay(gateway, AGENT, challenged)
    })
    afterEach(() => gateway.stop())

    it('the bodies have the lengths that were captured', () => {
      expect([P4.length, LOCK_BODY.length]).to.deep.equal([179, 229])
    })

    it('M1 mounts', async () => {
      const library = new Replay(gateway, { 'user-agent': 'WebDAVLib/1.3', accept: '*/*' }, true)
      expect((await library.run(plain('OPTIONS', `${S}/`, 200))).headers.dav).to.match(/\b2\b/)
      await finder.run(plain('OPTIONS', `${S}/`, 200), look(`${S}/`, 207))
      await finder.run(look(`${S}/`, 207, '0', PQ))
      const probes = [
        '.metadata_never_index',
        '.ql_disablethumbnails',
        '.Spotlight-V100',
        '.hidden',
        '._.',
        'mach_kernel',
        '.DS_Store',
      ]
      await finder.run(look(`${S}/`, 207, '1'))
      gateway.shared.calls.length = 0
      await finder.run(...probes.map((name) => look(`${S}/${name}`, 404)))
      expect(gateway.shared.calls).to.deep.equal([])
    })

    it('M2 browses with one listing', async () => {
      gateway.store('/d/f', 'x')
      await finder.run(
        look(`${S}/d/`, 207),
        look(`${S}/d/`, 207, '1'),
        look(`${S}/d/.DS_Store`, 404),
        look(`${S}/d/._f`, 404),
      )
      expect(gateway.shared.calls.map(({ operation }) => operation)).to.deep.equal(['connect', 'stat', 'list'])
    })

    it('M2 gets no href but those of the members', async () => {
      gateway.store('/d/f', 'x')
      const { body } = await finder.run(lock(`${S}/d/f`), look(`${S}/d/`, 207, '1'))
      expect(body.match(/<D:href>/g)).to.have.length(2)
    })

    it('M3 copies a file in, with its AppleDouble companion', async () => {
      const f = `${S}/d/f.bin`
      const created = await finder.run(look(f, 404), look(f, 404), create(f))
      expect(created.headers).to.include.keys('date', 'etag', 'last-modified')
      await finder.run(look(`${S}/d/._f.bin`, 404), lock(f))
      const side = new Replay(gateway, AGENT, challenged)
      const double = `${S}/d/._f.bin`
      await side.run(
        create(double),
        lock(double),
        { method: 'PUT', path: double, headers: { if: '(<{T}>)' }, body: 'x'.repeat(4096), status: 204 },
        unlock(double),
      )
      const stored = await finder.run(stream(f, 'content'))
      expect(stored.headers).to.include.keys('date', 'etag', 'last-modified')
      const { body } = await finder.run(look(f, 207))
      expect(only(body).properties.get('getcontentlength')?.text).to.equal('7')
      await finder.run(unlock(f), look(`${S}/`, 207, '0', PQ))
      expect(gateway.content('/d/f.bin')).to.equal('content')
    })

    it('M3b refreshes its lock while the upload runs, and a cut upload leaves content and lock', async () => {
      gateway.store('/d/g', 'whole')
      const g = `${S}/d/g`
      const granted = await finder.run(lock(g))
      const token = String(granted.headers['lock-token']).slice(1, -1)
      let started!: () => void
      const writing = new Promise<void>((resolve) => (started = resolve))
      gateway.shared.beforeChunk = () => started()
      const client = await RawClient.open(gateway.port)
      client.send(
        `PUT ${g} HTTP/1.1\r\nHost: x\r\nUser-Agent: ${AGENT['user-agent']}\r\nAuthorization: ${basic('user1')}\r\nIf: (<${token}>)\r\nTransfer-Encoding: chunked\r\nX-Expected-Entity-Length: 10\r\n\r\n5\r\nhello\r\n`,
      )
      await writing
      const again = await finder.run(refresh(g))
      expect(again.body).to.contain(token)
      client.socket.destroy()
      while (gateway.names('/d').some((name) => name.startsWith('.'))) await new Promise(setImmediate)
      expect(gateway.content('/d/g')).to.equal('whole')
      await finder.run({ method: 'PUT', path: g, body: 'other', status: 423 }, stream(g, 'next!'), unlock(g))
    })

    it('M3b is told in its own words: in use, or full, never that the file is gone', async () => {
      const g = `${S}/d/h`
      await finder.run(create(g), lock(g))
      gateway.shared.before = ({ operation }) => {
        if (operation === 'write') throw new StorageError('CONNECTION_LOST', 'test')
      }
      await finder.run(stream(g, 'x', 423))
      gateway.shared.before = ({ operation }) => {
        if (operation === 'write') throw new StorageError('NO_SPACE', 'test', { inStep: true })
      }
      await finder.run(stream(g, 'x', 507))
      gateway.heal()
      await finder.run(stream(g, 'x'), unlock(g))
    })

    it('M4 makes and renames a folder', async () => {
      await finder.run(
        look(`${S}/untitled%20folder`, 404),
        plain('MKCOL', `${S}/untitled%20folder`, 201),
        look(`${S}/`, 207),
        look(`${S}/untitled%20folder/`, 207),
      )
      await finder.run(
        look(`${S}/New`, 404),
        plain('MOVE', `${S}/untitled%20folder/`, 201, { destination: `https://127.0.0.1${S}/New/` }),
        look(`${S}/New/`, 207),
      )
      expect(gateway.names()).to.deep.equal(['New', 'd'])
    })

    it('M5 opens a file', async () => {
      gateway.store('/d/doc', 'text')
      const got = await finder.run(look(`${S}/d/doc`, 207), lock(`${S}/d/doc`), plain('GET', `${S}/d/doc`, 200))
      await finder.run(
        plain('GET', `${S}/d/doc`, 304, { 'if-modified-since': got.headers['last-modified'] }),
        unlock(`${S}/d/doc`),
      )
    })

    it('M6 saves safely: a folder beside, then a move over the original', async () => {
      gateway.store('/d/f.txt', 'old')
      const beside = `${S}/d/f.txt.sb-ac6800a0-t3YBFI`
      await finder.run(
        plain('MKCOL', beside, 201),
        create(`${beside}/f.txt`),
        lock(`${beside}/f.txt`),
        stream(`${beside}/f.txt`, 'new'),
        unlock(`${beside}/f.txt`),
      )
      await finder.run(
        plain('MOVE', `${beside}/f.txt`, 204, { destination: `https://127.0.0.1${S}/d/f.txt` }),
        plain('DELETE', `${beside}/`, 204),
      )
      expect(gateway.names('/d')).to.deep.equal(['f.txt'])
      expect(gateway.content('/d/f.txt')).to.equal('new')
    })

    it('M7 deletes a file and an empty folder', async () => {
      gateway.store('/d/f', 'x')
      await finder.run(plain('DELETE', `${S}/d/f`, 204), plain('DELETE', `${S}/d/._f`, 404))
      expect(multistatus((await finder.run(look(`${S}/d/`, 207, '1', PE))).body)).to.have.length(1)
      await finder.run(plain('DELETE', `${S}/d/`, 204))
    })

    it('M8 finds a name in either normal form, and lists it once', async () => {
      await finder.run(create(`${S}/d/caf%C3%A9.txt`), look(`${S}/d/cafe%CC%81.txt`, 207))
      expect(multistatus((await finder.run(look(`${S}/d/`, 207, '1'))).body)).to.have.length(2)
      await finder.run({ method: 'PUT', path: `${S}/d/cafe%CC%81.txt`, body: 'x', status: 204 })
      expect(gateway.names('/d')).to.deep.equal(['caf\u00e9.txt'])
    })

    it('M9 renames over what is there', async () => {
      gateway.store('/d/src', 'new')
      gateway.store('/d/dst', 'old')
      await finder.run(
        look(`${S}/d/dst`, 207),
        plain('MOVE', `${S}/d/src`, 204, { destination: `https://127.0.0.1${S}/d/dst` }),
      )
      expect(gateway.content('/d/dst')).to.equal('new')
    })
  })
}
