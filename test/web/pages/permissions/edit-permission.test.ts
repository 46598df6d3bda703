import { expect } from 'chai'
import { expectAdminsOnly } from '../../../support/admins-only.js'
import { startPermissionsApp, type PermissionsApp } from './permissions-app.js'

describe('changing a permission', () => {
  let app: PermissionsApp
  let id: number
  let path: string

  beforeEach(async () => {
    app = await startPermissionsApp()
    id = await app.addPermission()
    path = `/permissions/${id}`
  })
  afterEach(() => app.close())

  it('changes what is said, and empty fields go back to the default', async () => {
    await app.browser.submit(path, { remoteUser: 'other', access: 'read-only', root: '', endsAt: '' })
    expect(await app.permissions.get(id)).to.include({ remoteUser: 'other', access: 'read-only', root: undefined })
    expect((await app.audit.list())[0]).to.include({ type: 'permission.updated', actorName: 'root' })
  })

  it('shows a problem at its field', async () => {
    const visit = await app.browser.submit(path, { access: 'all', root: '../x' })
    expect(visit.status).to.equal(422)
    expect(visit.text).to.include('id="field-root-problem"').and.include('value="../x"')
  })

  it('is for admins only', async () => {
    await expectAdminsOnly(app.url, 'anna', { pages: [path], forms: [path] })
  })
})
