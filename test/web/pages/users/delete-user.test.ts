import { expect } from 'chai'
import { expectAdminsOnly } from '../../../support/admins-only.js'
import { startUsersApp, type UsersApp } from './users-app.js'

describe('deleting a user', () => {
  let app: UsersApp

  beforeEach(async () => {
    app = await startUsersApp()
  })
  afterEach(() => app.close())

  it('asks before it deletes', async () => {
    const id = await app.addUser('anna')
    expect((await app.browser.get(`/users/${id}/delete`)).text).to.include('Delete anna?')
    expect((await app.browser.submit(`/users/${id}/delete`, {})).text).to.include('The user anna was deleted.')
    expect(await app.users.find('anna')).to.equal(undefined)
  })

  it('keeps the last admin from losing the account', async () => {
    const visit = await app.browser.submit(`/users/${app.rootId}/delete`, {}, { from: `/users/${app.rootId}` })
    expect(visit.status).to.equal(422)
    expect(visit.text).to.include('root is the last active admin')
    expect(await app.users.get(app.rootId)).to.include({ role: 'admin', disabled: false })
  })

  for (const path of ['/users/new/delete']) {
    it(`answers 404 for ${path}`, async () => {
      expect((await app.browser.get(path)).status).to.equal(404)
    })
  }

  it('is for admins only', async () => {
    await app.addUser('anna')
    await expectAdminsOnly(app.url, 'anna', {
      pages: [`/users/${app.rootId}/delete`],
      forms: [`/users/${app.rootId}/delete`],
    })
  })
})
