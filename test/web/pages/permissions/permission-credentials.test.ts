import { expect } from 'chai'
import { expectAdminsOnly } from '../../../support/admins-only.js'
import { startPermissionsApp, type PermissionsApp } from './permissions-app.js'

describe('the login of a permission', () => {
  let app: PermissionsApp
  let id: number
  let path: string

  beforeEach(async () => {
    app = await startPermissionsApp()
    id = await app.addPermission()
    path = `/permissions/${id}`
  })
  afterEach(() => app.close())

  it('is replaced and forgotten, and never shown', async () => {
    const stored = await app.browser.submit(`${path}/credentials`, { password: 'geheim-2' }, { from: path })
    expect(stored.text).to.include('The login was stored.').and.not.include('geheim-2')
    expect(await app.permissions.login(id)).to.include({ password: 'geheim-2' })
    await app.browser.submit(`${path}/credentials`, { forget: 'on' }, { from: path })
    expect((await app.permissions.get(id)).credentials).to.equal('none')
  })

  it('is not empty', async () => {
    const visit = await app.browser.submit(`${path}/credentials`, { password: '' }, { from: path })
    expect([visit.status, visit.text.includes('id="field-password-problem"')]).to.deep.equal([422, true])
    expect(await app.permissions.login(id)).to.include({ password: 'geheim-1' })
  })

  it('is for admins only', async () => {
    await expectAdminsOnly(app.url, 'anna', { forms: [`${path}/credentials`] })
  })
})
