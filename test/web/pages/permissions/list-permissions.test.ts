import { expect } from 'chai'
import { expectAdminsOnly } from '../../../support/admins-only.js'
import { actor } from '../../../support/services.js'
import { startPermissionsApp, type PermissionsApp } from './permissions-app.js'

describe('list of permissions', () => {
  let app: PermissionsApp

  beforeEach(async () => {
    app = await startPermissionsApp()
  })
  afterEach(() => app.close())

  it('says what to do while nothing is granted', async () => {
    expect((await app.browser.get('/permissions')).text).to.include('Nothing is granted yet')
  })

  it('finds permissions by user, server or login', async () => {
    await app.permissions.grant({ userId: app.anna, serverId: app.alpha, remoteUser: 'zeta' }, actor)
    await app.permissions.grant({ userId: app.bert, serverId: app.beta }, actor)
    const { text } = await app.browser.get('/permissions?text=ZET')
    expect(text).to.include('anna on alpha').and.not.include('bert on beta')
    expect((await app.browser.get('/permissions?text=none')).text).to.include('No permission fits')
  })

  it('is for admins only', async () => {
    await expectAdminsOnly(app.url, 'anna', { pages: ['/permissions'] })
  })
})
