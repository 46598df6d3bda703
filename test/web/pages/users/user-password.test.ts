import { expect } from 'chai'
import { expectAdminsOnly } from '../../../support/admins-only.js'
import { startUsersApp, type UsersApp } from './users-app.js'

describe('new password of a user', () => {
  let app: UsersApp

  beforeEach(async () => {
    app = await startUsersApp()
  })
  afterEach(() => app.close())

  it('is set in the name of the visitor', async () => {
    const id = await app.addUser('anna')
    await app.browser.submit(
      `/users/${id}/password`,
      { password: 'another password', mustChange: 'on' },
      { from: `/users/${id}` },
    )
    expect(await app.users.get(id)).to.include({ mustChangePassword: true })
    expect(await app.types()).to.include('user.password-changed by root')
  })

  it('is for admins only', async () => {
    await app.addUser('anna')
    await expectAdminsOnly(app.url, 'anna', { forms: [`/users/${app.rootId}/password`] })
  })
})
