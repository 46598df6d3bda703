import { expect } from 'chai'
import { expectAdminsOnly } from '../../../support/admins-only.js'
import { FINGERPRINT } from '../../../support/services.js'
import { startServersApp, type ServersApp } from './servers-app.js'

describe('new server', () => {
  let app: ServersApp

  beforeEach(async () => {
    app = await startServersApp()
  })
  afterEach(() => app.close())

  it('creates a server that is known by its fingerprint, in the name of the visitor', async () => {
    const visit = await app.create({ fingerprint: FINGERPRINT, adminUser: 'adm', adminPassword: 'geheim-1' })
    const server = await app.servers.find('alpha')
    expect(visit.path).to.equal(`/servers/${server?.id}/test`)
    expect(visit.text).to.not.include('geheim-1')
    expect(server).to.deep.include({ port: 22, adminUser: 'adm', hasAdminPassword: true })
    expect((await app.audit.list())[0]).to.include({ type: 'server.created', actorName: 'root' })
  })

  it('leads to the page of trust when the fingerprint is to be confirmed', async () => {
    const visit = await app.create({ trust: 'scan' })
    expect(visit.path).to.match(/^\/servers\/\d+\/trust$/)
    expect(visit.text).to.include('Nobody. The server is not used before')
    expect((await app.servers.find('alpha'))?.trust).to.deep.equal({ kind: 'first-use' })
  })

  it('takes plain ftp only when the warning is ticked', async () => {
    const refused = await app.create({ protocol: 'ftp' })
    expect([refused.status, await app.servers.find('alpha')]).to.deep.equal([422, undefined])
    expect(refused.text).to.include('id="field-plainText-problem"')
    await app.create({ protocol: 'ftp', plainText: 'on' })
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
      const visit = await app.create({ fingerprint: FINGERPRINT, [field]: value })
      expect(visit.status).to.equal(422)
      expect(visit.text).to.include(`id="field-${id}-problem"`).and.include(value)
      expect(await app.servers.list()).to.deep.equal([])
    })
  }

  it('says in plain words that a name is taken', async () => {
    await app.add()
    const visit = await app.create({ alias: 'ALPHA', fingerprint: FINGERPRINT })
    expect([visit.status, visit.text.includes('There is a server alpha already.')]).to.deep.equal([422, true])
  })

  it('is for admins only', async () => {
    await expectAdminsOnly(app.url, 'anna', { pages: ['/servers/new'], forms: ['/servers'] })
  })
})
