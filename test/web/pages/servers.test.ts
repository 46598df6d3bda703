import { expect } from 'chai'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startEmbeddedSftpServer, type EmbeddedSftpServer } from '../../../src/demo/embedded-sftp-server.js'
import type { Health } from '../../../src/health/health.js'
import type { NewServer } from '../../../src/servers/server-input.js'
import { BrowserSession } from '../../support/browser-session.js'
import { actor, FINGERPRINT, OTHER_FINGERPRINT } from '../../support/services.js'
import { startWebApp, type TestWebApp } from '../../support/web-app.js'

const FORM = { alias: 'alpha', protocol: 'sftp', host: 'files.example.com', port: '', trust: 'fingerprint' }

describe('pages of servers', () => {
  let app: TestWebApp
  let browser: BrowserSession
  let state: Health

  beforeEach(async () => {
    state = { state: 'unknown' }
    app = await startWebApp(() => ({ health: { of: () => state, history: () => Promise.resolve([]) } }))
    await app.addUser('root', { role: 'admin' })
    browser = await BrowserSession.loggedIn(app.url, 'root')
  })
  afterEach(() => app.close())

  const create = (fields: object) => browser.submit('/servers', { ...FORM, ...fields }, { from: '/servers/new' })
  const add = (changes: Partial<NewServer> = {}) =>
    app.servers.create(
      { alias: 'alpha', protocol: 'sftp', host: 'files.example.com', trust: { fingerprint: FINGERPRINT }, ...changes },
      actor,
    )

  it('says what to do while there is no server', async () => {
    expect((await browser.get('/servers')).text)
      .to.include('No server yet')
      .and.include('href="/servers/new"')
  })

  it('lists servers with state, address, trust and number of users', async () => {
    const { id } = await add()
    await add({ alias: 'beta', trust: { firstUse: true } })
    await app.servers.setEnabled(id, false, actor)
    const { text } = await browser.get('/servers')
    expect(text).to.include('files.example.com:22').and.include('>disabled<').and.include('>not confirmed<')
  })

  it('shows how an enabled server is, and since when it is down', async () => {
    await add()
    expect((await browser.get('/servers')).text).to.include('>unknown<')
    state = { state: 'down', reason: 'UNREACHABLE', since: new Date('2027-01-02T03:04:05Z') }
    expect((await browser.get('/servers')).text)
      .to.include('>down<')
      .and.include('2027-01-02T03:04:05.000Z')
  })

  it('creates a server that is known by its fingerprint, in the name of the visitor', async () => {
    const visit = await create({ fingerprint: FINGERPRINT, adminUser: 'adm', adminPassword: 'geheim-1' })
    const server = await app.servers.find('alpha')
    expect(visit.path).to.equal(`/servers/${server?.id}/test`)
    expect(visit.text).to.not.include('geheim-1')
    expect(server).to.deep.include({ port: 22, adminUser: 'adm', hasAdminPassword: true })
    expect((await app.audit.list())[0]).to.include({ type: 'server.created', actorName: 'root' })
  })

  it('leads to the page of trust when the fingerprint is to be confirmed', async () => {
    const visit = await create({ trust: 'scan' })
    expect(visit.path).to.match(/^\/servers\/\d+\/trust$/)
    expect(visit.text).to.include('Nobody. The server is not used before')
    expect((await app.servers.find('alpha'))?.trust).to.deep.equal({ kind: 'first-use' })
  })

  it('takes plain ftp only when the warning is ticked', async () => {
    const refused = await create({ protocol: 'ftp' })
    expect([refused.status, await app.servers.find('alpha')]).to.deep.equal([422, undefined])
    expect(refused.text).to.include('id="field-plainText-problem"')
    await create({ protocol: 'ftp', plainText: 'on' })
    expect((await app.servers.find('alpha'))?.trust).to.deep.equal({ kind: 'none' })
  })

  for (const [field, value, id] of [
    ['alias', 'a/b', 'alias'],
    ['host', '2130706433', 'host'],
    ['port', '70000', 'port'],
    ['port', '0x16', 'port'],
    ['fingerprint', 'SHA256:short', 'fingerprint'],
    ['limits.maxConnections', '-1', 'limits-maxConnections'],
  ] as const) {
    it(`shows a problem at the field ${field} for ${value}, and keeps what was written`, async () => {
      const visit = await create({ fingerprint: FINGERPRINT, [field]: value })
      expect(visit.status).to.equal(422)
      expect(visit.text).to.include(`id="field-${id}-problem"`).and.include(value)
      expect(await app.servers.list()).to.deep.equal([])
    })
  }

  it('says in plain words that a name is taken', async () => {
    await add()
    const visit = await create({ alias: 'ALPHA', fingerprint: FINGERPRINT })
    expect([visit.status, visit.text.includes('There is a server alpha already.')]).to.deep.equal([422, true])
  })

  it('changes a server and keeps the stored password unless told to forget it', async () => {
    const { id } = await add({ adminUser: 'adm', adminPassword: 'geheim-1' })
    const from = `/servers/${id}/edit`
    expect((await browser.get(from)).text).to.not.include('geheim-1')
    const fields = { ...FORM, port: '2222', adminUser: 'adm', adminPassword: '', 'limits.maxConnections': '9' }
    await browser.submit(from, fields)
    expect(await app.servers.get(id)).to.deep.include({
      port: 2222,
      hasAdminPassword: true,
      limits: { maxConnections: 9 },
    })
    await browser.submit(from, { ...fields, forgetPassword: 'on' })
    expect((await app.servers.get(id)).hasAdminPassword).to.equal(false)
  })

  it('trusts nobody after a change from plain ftp to sftp', async () => {
    const { id } = await app.servers.create({ alias: 'alpha', protocol: 'ftp', host: 'files.example.com' }, actor)
    const visit = await browser.submit(`/servers/${id}/edit`, FORM)
    expect(visit.path).to.equal(`/servers/${id}/trust`)
    expect((await app.servers.get(id)).trust).to.deep.equal({ kind: 'first-use' })
  })

  it('disables, enables and, after asking, deletes', async () => {
    const { id } = await add()
    const from = `/servers/${id}`
    await browser.submit(`${from}/state`, { state: 'disabled' }, { from })
    expect((await app.servers.get(id)).enabled).to.equal(false)
    await browser.submit(`${from}/state`, { state: 'enabled' }, { from })
    expect((await app.servers.get(id)).enabled).to.equal(true)
    expect((await browser.get(`${from}/delete`)).text).to.include('Delete alpha?')
    expect((await browser.submit(`${from}/delete`, {})).text).to.include('The server alpha was deleted.')
  })

  it('escapes names', async () => {
    await add({ alias: `it's & "x"`.replaceAll('"', '') })
    expect((await browser.get('/servers')).text).to.include('it&#39;s &amp; x')
  })

  it('is for admins only', async () => {
    const { id } = await add()
    await app.addUser('anna')
    const anna = await BrowserSession.loggedIn(app.url, 'anna')
    for (const part of ['', '/new', `/${id}`, `/${id}/edit`, `/${id}/test`, `/${id}/trust`, `/${id}/delete`]) {
      expect((await anna.get(`/servers${part}`)).status, part).to.equal(403)
    }
    for (const part of ['', `/${id}/edit`, `/${id}/test`, `/${id}/trust`, `/${id}/trust/scan`, `/${id}/delete`]) {
      expect((await anna.submit(`/servers${part}`, {}, { from: '/login' })).status, part).to.equal(403)
    }
  })

  describe('and the server itself', () => {
    let embedded: EmbeddedSftpServer
    let id: number

    beforeEach(async () => {
      const root = join(app.folder, 'files')
      await mkdir(root)
      await writeFile(join(root, 'secret-name.txt'), 'x')
      embedded = await startEmbeddedSftpServer({ users: [{ username: 'adm', password: 'geheim-1', root }] })
      id = (await add(local({ firstUse: true }))).id
    })
    afterEach(() => embedded.close())

    const local = (trust: NewServer['trust']): Partial<NewServer> => ({
      host: '127.0.0.1',
      port: embedded.port,
      trust,
      adminUser: 'adm',
      adminPassword: 'geheim-1',
    })
    const shown = () => embedded.fingerprint.replace(/=+$/, '').replaceAll('+', '&#43;').replaceAll('&#43;', '+')
    const test = (as: string) => browser.submit(`/servers/${id}/test`, { as })

    it('shows the fingerprint, and trusts it when the admin has confirmed it', async () => {
      const scan = await browser.submit(`/servers/${id}/trust/scan`, {}, { from: `/servers/${id}/trust` })
      expect(scan.text).to.include(shown()).and.include('It is the same: trust this server')
      expect((await app.servers.get(id)).trust).to.deep.equal({ kind: 'first-use' })
      await browser.submit(`/servers/${id}/trust`, { fingerprint: shown() })
      expect((await app.servers.get(id)).trust).to.deep.include({ kind: 'pinned', fingerprints: [shown()] })
      expect((await app.audit.list())[0]).to.include({ type: 'server.trusted', actorName: 'root' })
    })

    it('sends no login to a server that nobody has confirmed', async () => {
      const visit = await test('admin')
      expect(visit.text).to.include('The server answers. No login was tried.')
      expect(embedded.logins).to.deep.equal([])
    })

    it('shows each step of a test with its time, and no names of files', async () => {
      await app.servers.setTrust(id, { fingerprint: embedded.fingerprint }, actor)
      const { text } = await test('admin')
      for (const step of ['Connect', 'Check who it is', 'Log in', 'List the start folder'])
        expect(text).to.include(step)
      expect(text)
        .to.match(/\d+ ms/)
        .and.include('The connection works.')
      expect(text).to.not.include('secret-name').and.not.include('geheim-1')
    })

    it('says what was wrong with the login, in words of its own', async () => {
      await app.servers.setTrust(id, { fingerprint: embedded.fingerprint }, actor)
      await app.servers.update(id, { adminPassword: 'wrong' }, actor)
      const { text } = await test('admin')
      expect(text).to.include('The test failed at: log in.').and.include('The server refused the login.')
    })

    it('turns red when the server shows another key, with the old and the new one', async () => {
      await app.servers.setTrust(id, { fingerprint: OTHER_FINGERPRINT }, actor)
      const { text } = await browser.submit(`/servers/${id}/trust/scan`, {}, { from: `/servers/${id}/trust` })
      expect(text).to.include('The host key of alpha has changed')
      expect(text).to.include(OTHER_FINGERPRINT).and.include(shown())
      expect((await test('admin')).text).to.include('Compare the fingerprints')
      expect(embedded.logins).to.deep.equal([])
    })

    it('says that nothing answers', async () => {
      await embedded.close()
      const { status, text } = await test('admin')
      expect([status, text.includes('The test failed at: connect.')]).to.deep.equal([200, true])
      const scan = await browser.submit(`/servers/${id}/trust/scan`, {}, { from: `/servers/${id}/trust` })
      expect(scan.text).to.include('The address cannot be reached.')
    })
  })
})
