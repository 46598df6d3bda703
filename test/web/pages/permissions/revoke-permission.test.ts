import { expect } from 'chai'
import { expectAdminsOnly } from '../../../support/admins-only.js'
import { startPermissionsApp, type PermissionsApp } from './permissions-app.js'

describe('revoking a permission', () => {
  let app: PermissionsApp
  let path: string

  beforeEach(async () => {
    app = await startPermissionsApp()
    path = `/permissions/${await app.addPermission()}`
  })
  afterEach(() => app.close())

  it('is done after asking', async () => {
    expect((await app.browser.get(`${path}/revoke`)).text).to.include('Take alpha away from anna?')
    expect((await app.browser.submit(`${path}/revoke`, {})).text).to.include('anna may no longer use alpha.')
    expect(await app.permissions.list()).to.deep.equal([])
  })

  it('is for admins only', async () => {
    await expectAdminsOnly(app.url, 'anna', { pages: [`${path}/revoke`], forms: [`${path}/revoke`] })
  })
})
