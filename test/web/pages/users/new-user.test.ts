import { expect } from 'chai'
import { expectAdminsOnly } from '../../../support/admins-only.js'
import { PASSWORD } from '../../../support/web-app.js'
import { startUsersApp, type UsersApp } from './users-app.js'

describe('new user', () => {
  let app: UsersApp

  beforeEach(async () => {
    app = await startUsersApp()
  })
  afterEach(() => app.close())

  it('creates a user, who has to change the password, in the name of the visitor', async () => {
    const fields = { username: 'anna', password: PASSWORD, role: 'user', mustChange: 'on' }
    const visit = await app.browser.submit('/users', fields, { from: '/users/new' })
    const anna = await app.users.find('anna')
    expect(visit.path).to.equal(`/users/${anna?.id}`)
    expect(visit.text).to.include('The user anna was created.')
    expect(anna).to.include({ role: 'user', mustChangePassword: true })
    expect(await app.types()).to.include('user.created by root')
  })

  it('shows a refused form again with the problem at its field, and never a password', async () => {
    const visit = await app.browser.submit(
      '/users',
      { username: 'Anna!', password: 'geheim', role: 'user' },
      { from: '/users/new' },
    )
    expect(visit.status).to.equal(422)
    expect(visit.text).to.include('id="field-username-problem"').and.include('id="field-password-problem"')
    expect(visit.text).to.include('value="Anna!"').and.not.include('geheim')
  })

  it('says in plain words that a name is taken', async () => {
    await app.addUser('anna')
    const visit = await app.browser.submit(
      '/users',
      { username: 'anna', password: PASSWORD, role: 'user' },
      { from: '/users/new' },
    )
    expect([visit.status, visit.text.includes('There is a user anna already.')]).to.deep.equal([422, true])
  })

  it('changes nothing without the token of a form', async () => {
    const asking = {
      method: 'POST',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      body: 'username=x',
    }
    expect((await app.browser.request('/users', asking)).status).to.equal(403)
  })

  it('is for admins only', async () => {
    await app.addUser('anna')
    await expectAdminsOnly(app.url, 'anna', { pages: ['/users/new'], forms: ['/users'] })
  })
})
