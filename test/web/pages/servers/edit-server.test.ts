import { expect } from 'chai'
import { expectAdminsOnly } from '../../../support/admins-only.js'
import { actor } from '../../../support/services.js'
import { FORM, startServersApp, type ServersApp } from './servers-app.js'

describe('changing a server', () => {
  let app: ServersApp

  beforeEach(async () => {
    app = await startServersApp()
  })
  afterEach(() => app.close())

  it('changes a server and keeps the stored password unless told to forget it', async () => {
    const { id } = await app.add({ adminUser: 'adm', adminPassword: 'geheim-1' })
    const from = `/servers/${id}/edit`
    expect((await app.browser.get(from)).text).to.not.include('geheim-1')
    const fields = { ...FORM, port: '2222', adminUser: 'adm', adminPassword: '', 'limits.maxConnections': '9' }
    await app.browser.submit(from, fields)
    expect(await app.servers.get(id)).to.deep.include({
      port: 2222,
      hasAdminPassword: true,
      limits: { maxConnections: 9 },
    })
    await app.browser.submit(from, { ...fields, forgetPassword: 'on' })
    expect((await app.servers.get(id)).hasAdminPassword).to.equal(false)
  })

  it('trusts nobody after a change from plain ftp to sftp', async () => {
    const { id } = await app.servers.create({ alias: 'alpha', protocol: 'ftp', host: 'files.example.com' }, actor)
    const visit = await app.browser.submit(`/servers/${id}/edit`, FORM)
    expect(visit.path).to.equal(`/servers/${id}/trust`)
    expect((await app.servers.get(id)).trust).to.deep.equal({ kind: 'first-use' })
  })

  it('is for admins only', async () => {
    const { id } = await app.add()
    await expectAdminsOnly(app.url, 'anna', { pages: [`/servers/${id}/edit`], forms: [`/servers/${id}/edit`] })
  })
})
