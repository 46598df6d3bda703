import { expect } from 'chai'
import { expectAdminsOnly } from '../../../support/admins-only.js'
import { FINGERPRINT } from '../../../support/services.js'
import { startServersApp, type ServersApp } from './servers-app.js'

describe('the page of a server', () => {
  let app: ServersApp

  beforeEach(async () => {
    app = await startServersApp()
  })
  afterEach(() => app.close())

  it('tells address and trust, and never the stored password', async () => {
    const { id } = await app.add({ adminUser: 'adm', adminPassword: 'geheim-1' })
    const { text } = await app.browser.get(`/servers/${id}`)
    expect(text).to.include('files.example.com:22').and.include(FINGERPRINT).and.not.include('geheim-1')
  })

  it('is for admins only', async () => {
    const { id } = await app.add()
    await expectAdminsOnly(app.url, 'anna', { pages: [`/servers/${id}`] })
  })
})
