import { expect } from 'chai'
import { expectAdminsOnly } from '../../../support/admins-only.js'
import { startUsersApp, type UsersApp } from './users-app.js'

describe('state of a user', () => {
  let app: UsersApp

  beforeEach(async () => {
    app = await startUsersApp()
  })
  afterEach(() => app.close())

  it('is changed in the name of the visitor', async () => {
    const id = await app.addUser('anna')
    await app.browser.submit(`/users/${id}/state`, { state: 'disabled' }, { from: `/users/${id}` })
    expect(await app.users.get(id)).to.include({ disabled: true })
    expect(await app.types()).to.include('user.disabled by root')
  })

  it('keeps the last admin from losing the account', async () => {
    const visit = await app.browser.submit(
      `/users/${app.rootId}/state`,
      { state: 'disabled' },
      { from: `/users/${app.rootId}` },
    )
    expect(visit.status).to.equal(422)
    expect(visit.text).to.include('root is the last active admin')
    expect(await app.users.get(app.rootId)).to.include({ role: 'admin', disabled: false })
  })

  it('is for admins only', async () => {
    await app.addUser('anna')
    await expectAdminsOnly(app.url, 'anna', { forms: [`/users/${app.rootId}/state`] })
  })
})
