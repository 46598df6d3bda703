import { expect } from 'chai'
import { DavGateway } from '../dav-gateway.js'
import { multistatus, only } from '../multistatus.js'
import { Replay, type Step } from './replay.js'

const AGENT = { 'user-agent': 'Microsoft-WebDAV-MiniRedir/10.0.19045', translate: 'f' }
const TIME = 'Fri, 15 Jun 2018 12:26:41 GMT'
const XML = { 'content-type': 'text/xml; charset="utf-8"' }

const LOCK_BODY =
  '<?xml version="1.0" encoding="utf-8" ?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype><D:owner><D:href>DESKTOP-1\\alice</D:href></D:owner></D:lockinfo>'

const times = (...names: string[]) =>
  names.map((name) => `<Z:Win32${name}>${name === 'FileAttributes' ? '00000020' : TIME}</Z:Win32${name}>`).join('')
const patchBody = (inside: string) =>
  `<?xml version="1.0" encoding="utf-8" ?><D:propertyupdate xmlns:D="DAV:" xmlns:Z="urn:schemas-microsoft-com:"><D:set><D:prop>${inside}</D:prop></D:set></D:propertyupdate>`
const PP4 = patchBody(times('CreationTime', 'LastAccessTime', 'LastModifiedTime', 'FileAttributes'))
const PP2 = patchBody(times('LastModifiedTime', 'FileAttributes'))

const look = (path: string, status: number, depth = '0'): Step => ({
  method: 'PROPFIND',
  path,
  headers: { depth, 'content-length': 0 },
  status,
})
const lock = (path: string, status: Step['status'] = 200): Step => ({
  method: 'LOCK',
  path,
  headers: { ...XML, 'cache-control': 'no-cache', pragma: 'no-cache', timeout: 'Second-3600' },
  body: LOCK_BODY,
  status,
})
const patch = (path: string, body: string): Step => ({
  method: 'PROPPATCH',
  path,
  headers: { ...XML, if: '(<{T}>)' },
  body,
  status: 207,
})
const put = (path: string, body: string, status: Step['status'] = 204): Step => ({
  method: 'PUT',
  path,
  headers: { if: '(<{T}>)' },
  body,
  status,
})
const create = (path: string): Step => ({ method: 'PUT', path, headers: { 'content-length': 0 }, status: 201 })
const unlock = (path: string): Step => ({ method: 'UNLOCK', path, headers: { 'lock-token': '<{T}>' }, status: 204 })
const plain = (method: string, path: string, status: Step['status'], headers = {}): Step => ({
  method,
  path,
  status,
  headers,
})

const D = '/dav/server2/dir'

for (const challenged of [false, true]) {
  describe(`dav: what Windows sends${challenged ? ', each request first without a password' : ''}`, () => {
    let gateway: DavGateway
    let windows: Replay
    beforeEach(async () => {
      gateway = await new DavGateway({}, 60_000).start()
      gateway.folder('/dir')
      windows = new Replay(gateway, AGENT, challenged)
    })
    afterEach(() => gateway.stop())

    function allTaken(body: string): void {
      expect([...only(body).properties.values()].every(({ status }) => status === 200)).to.equal(true)
    }

    it('the bodies have the lengths that were captured', () => {
      expect([PP4.length, PP2.length, LOCK_BODY.replace('DESKTOP-1\\alice', '').length]).to.deep.equal([443, 295, 191])
    })

    it('W1 maps a drive', async () => {
      const answer = await windows.run(
        plain('OPTIONS', '/', 200),
        plain('OPTIONS', '/dav/server2', 200),
        look('/dav/server2', 207),
        look('/dav', 207),
        look('/', 207),
        plain('OPTIONS', '/dav', 200),
      )
      expect(answer.headers).to.include({ 'ms-author-via': 'DAV', 'content-length': '0' })
      expect(gateway.shared.count('list') + gateway.shared.count('stat')).to.be.at.most(1)
    })

    it('W2 opens a folder: one listing on the server, every probe answered from it', async () => {
      gateway.store('/dir/a.txt', 'a')
      const probes = ['desktop.ini', 'folder.jpg', 'folder.gif', 'Thumbs.db', 'AutoRun.inf'].map((name) =>
        look(`${D}/${name}`, 404),
      )
      await windows.run(look(D, 207), look(D, 207, '1'), ...probes, look(D, 207), look(D, 207))
      expect(gateway.shared.calls.map(({ operation }) => operation)).to.deep.equal(['connect', 'stat', 'list'])
    })

    it('W3 makes a folder and renames it', async () => {
      const made = await windows.run(
        look(`${D}/New%20folder`, 404),
        look(D, 207),
        plain('MKCOL', `${D}/New%20folder`, 201, { 'content-length': 0 }),
        { method: 'PROPPATCH', path: `${D}/New%20folder`, headers: XML, body: PP4, status: 207 },
      )
      allTaken(made.body)
      await windows.run(
        look(`${D}/New%20folder`, 207),
        look(`${D}/work`, 404),
        plain('MOVE', `${D}/New%20folder`, 201, {
          destination: `https://127.0.0.1/dav/server2/dir/work`,
          overwrite: 'F',
        }),
        look(D, 207, '1'),
      )
      expect(gateway.names('/dir')).to.deep.equal(['work'])
    })

    it('W4 copies a file in', async () => {
      allTaken(
        (
          await windows.run(
            look(`${D}/a.txt`, 404),
            look(D, 207),
            create(`${D}/a.txt`),
            lock(`${D}/a.txt`),
            patch(`${D}/a.txt`, PP4),
          )
        ).body,
      )
      const head = await windows.run(plain('HEAD', `${D}/a.txt`, 200))
      expect(head.headers).to.include({ 'content-length': '0' })
      await windows.run(put(`${D}/a.txt`, 'content'), patch(`${D}/a.txt`, PP2), unlock(`${D}/a.txt`), look(D, 207))
      const { body } = await windows.run(look(`${D}/a.txt`, 207))
      expect(only(body).properties.get('getlastmodified')?.text).to.equal(TIME)
      expect(gateway.content('/dir/a.txt')).to.equal('content')
      expect(gateway.shared.count('setModified')).to.equal(1)
    })

    it('W4b locks the missing name first', async () => {
      await windows.run(look(`${D}/b`, 404), lock(`${D}/b`, 201), put(`${D}/b`, 'x'), unlock(`${D}/b`))
    })

    it('W4b deletes under lock and writes again without a token', async () => {
      await windows.run(
        create(`${D}/c`),
        lock(`${D}/c`),
        put(`${D}/c`, ''),
        plain('DELETE', `${D}/c`, 204, { if: '(<{T}>)' }),
      )
      await windows.run({ method: 'PUT', path: `${D}/c`, body: 'content', status: 201 }, lock(`${D}/c`))
    })

    it('W4b tags the If header with a URL of another scheme', async () => {
      await windows.run(create(`${D}/d`), lock(`${D}/d`))
      for (const base of ['https://drive.example', 'http://127.0.0.1:1']) {
        await windows.run({
          method: 'PUT',
          path: `${D}/d`,
          headers: { if: `<${base}${D}/d> (<{T}>)` },
          body: 'x',
          status: 204,
        })
      }
    })

    it('W4b a second computer of the same user is kept out', async () => {
      await windows.run(create(`${D}/e`), lock(`${D}/e`))
      await new Replay(gateway, AGENT, challenged).run(
        { method: 'PUT', path: `${D}/e`, body: 'x', status: 423 },
        lock(`${D}/e`, 423),
      )
    })

    it('W5 edits a file', async () => {
      gateway.store('/dir/e.txt', 'old')
      await windows.run(
        look(`${D}/e.txt`, 207),
        look(`${D}/e.txt`, 207),
        lock(`${D}/e.txt`),
        plain('HEAD', `${D}/e.txt`, 200),
      )
      const got = await windows.run(plain('GET', `${D}/e.txt`, 200))
      await windows.run(
        plain('GET', `${D}/e.txt`, 304, { 'if-modified-since': got.headers['last-modified'] }),
        put(`${D}/e.txt`, 'new'),
        patch(`${D}/e.txt`, PP2),
        unlock(`${D}/e.txt`),
        look(`${D}/e.txt`, 207),
      )
      expect(gateway.content('/dir/e.txt')).to.equal('new')
    })

    it('W6 deletes a file and a folder', async () => {
      gateway.store('/dir/f', 'x')
      gateway.folder('/dir/sub')
      gateway.store('/dir/sub/x', 'x')
      await windows.run(look(`${D}/f`, 207), look(`${D}/f`, 207), plain('DELETE', `${D}/f`, 204), look(`${D}/f`, 404))
      await windows.run(
        look(`${D}/sub`, 207),
        look(`${D}/sub`, 207, '1'),
        plain('DELETE', `${D}/sub`, 204),
        look(`${D}/sub`, 404),
      )
    })

    it('W7 looks around while a large file is on its way', async () => {
      await windows.run(create(`${D}/big`), lock(`${D}/big`))
      let proceed!: () => void
      const held = new Promise<void>((resolve) => (proceed = resolve))
      let started!: () => void
      const writing = new Promise<void>((resolve) => (started = resolve))
      gateway.shared.beforeChunk = ({ operation }) => {
        if (operation !== 'write') return
        started()
        return held
      }
      const upload = windows.run(put(`${D}/big`, 'x'.repeat(1_000_000)))
      await writing
      await new Replay(gateway, AGENT, challenged).run(look(D, 207, '1'), plain('HEAD', `${D}/big`, 200))
      proceed()
      await upload
      const { headers } = await windows.run(unlock(`${D}/big`), plain('HEAD', `${D}/big`, 200))
      expect(headers['content-length']).to.equal('1000000')
    })

    it('W8 copies within the drive by reading and writing, and renames by MOVE', async () => {
      gateway.store('/dir/from', 'x')
      await windows.run(
        plain('GET', `${D}/from`, 200),
        create(`${D}/copy`),
        lock(`${D}/copy`),
        put(`${D}/copy`, 'x'),
        unlock(`${D}/copy`),
      )
      await windows.run(
        plain('MOVE', `${D}/copy`, 201, { destination: `http://127.0.0.1:${gateway.port}${D}/moved`, overwrite: 'F' }),
      )
      expect(gateway.names('/dir')).to.deep.equal(['from', 'moved'])
    })

    it('W9 Word saves: owner file, temporary file, move over the original', async () => {
      gateway.store('/dir/name.docx', 'old')
      const owner = `${D}/~$name.docx`
      await windows.run(
        look(owner, 404),
        create(owner),
        lock(owner),
        plain('HEAD', owner, 200),
        put(owner, 'x'.repeat(162)),
        patch(owner, PP2),
        unlock(owner),
      )
      const temporary = `${D}/~WRD0001.tmp`
      await windows.run(
        look(temporary, 404),
        create(temporary),
        lock(temporary),
        put(temporary, 'new'),
        patch(temporary, PP2),
      )
      await windows.run(
        plain('MOVE', temporary, 204, { destination: `http://127.0.0.1${D}/name.docx`, overwrite: 'T', if: '(<{T}>)' }),
      )
      await windows.run(
        look(`${D}/name.docx`, 207),
        lock(`${D}/name.docx`),
        plain('GET', `${D}/name.docx`, 200),
        unlock(`${D}/name.docx`),
      )
      await windows.run(
        plain('DELETE', owner, 204),
        look(`${D}/.~lock.name.odt%23`, 404),
        create(`${D}/.~lock.name.odt%23`),
      )
      expect(gateway.content('/dir/name.docx')).to.equal('new')
      expect(gateway.names('/dir')).to.deep.equal(['.~lock.name.odt#', 'name.docx'])
    })

    it('W10 Office opens and saves on its own', async () => {
      gateway.store('/dir/x.docx', 'old')
      const office = new Replay(
        gateway,
        { 'user-agent': 'Microsoft Office Word 2014 (16.0.4266) Windows NT 10.0' },
        challenged,
      )
      const probe = await gateway.send('OPTIONS', `${D}/`, {
        headers: { authorization: 'Bearer', 'x-idcrl_accepted': 't' },
      })
      expect(probe.status).to.equal(401)
      await office.run(
        plain('HEAD', `${D}/x.docx`, 200),
        plain('OPTIONS', `${D}/`, 200),
        plain('HEAD', `${D}/`, 200),
        lock(`${D}/x.docx`),
        plain('GET', `${D}/x.docx`, 200),
      )
      await office.run(look(`${D}/x.docx`, 207), put(`${D}/x.docx`, 'new'))
      await office.run({ method: 'PROPPATCH', path: `${D}/x.docx`, headers: XML, body: PP2, status: 207 })
      await office.run(
        plain('LOCK', `${D}/x.docx`, 200, { if: '(<{T}>)', timeout: 'Second-3600', 'content-length': 0 }),
        unlock(`${D}/x.docx`),
      )
    })

    it('finds a file under another case, and lists it as the server spells it', async () => {
      gateway.store('/dir/Report.DOC', 'x')
      await windows.run(look(`${D}/REPORT.doc`, 207), plain('GET', `${D}/report.doc`, 200))
      expect(multistatus((await windows.run(look(D, 207, '1'))).body).map(({ href }) => href)).to.include(
        `${D}/Report.DOC`,
      )
    })
  })
}
