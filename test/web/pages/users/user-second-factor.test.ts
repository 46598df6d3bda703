import { expect } from 'chai'
import { expectAdminsOnly } from '../../../support/admins-only.js'
import { startUsersApp, type UsersApp } from './users-app.js'

describe('second factor of a user', () => {
  let app: UsersApp

  beforeEach(async () => {
    app = await startUsersApp()
  })
  afterEach(() => app.close())

  it('is removed', async () => {
    const id = await app.addUser('anna')
    await app.database.models.User.update({ totpSecret: 'x', totpConfirmedAt: new Date() }, { where: { id } })
    const visit = await app.browser.submit(`/users/${id}/second-factor/reset`, {}, { from: `/users/${id}` })
    expect(visit.text).to.include('The second factor was removed.')
    expect((await app.users.get(id)).hasSecondFactor).to.equal(false)
    expect(await app.types()).to.include('user.second-factor-reset by root')
  })

  it('is for admins only', async () => {
    await app.addUser('anna')
    await expectAdminsOnly(app.url, 'anna', { forms: [`/users/${app.rootId}/second-factor/reset`] })
  })
})
