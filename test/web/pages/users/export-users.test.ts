import { expect } from 'chai'
import { expectAdminsOnly } from '../../../support/admins-only.js'
import { startUsersApp, type UsersApp } from './users-app.js'

describe('export of users', () => {
  let app: UsersApp

  beforeEach(async () => {
    app = await startUsersApp()
  })
  afterEach(() => app.close())

  it('exports everybody as CSV without anything secret', async () => {
    await app.addUser('anna')
    const { headers, text } = await app.browser.get('/users.csv')
    expect(headers.get('content-disposition')).to.equal('attachment; filename=users.csv')
    expect(text).to.match(/^\uFEFF?username,role,state,second factor,last login,created\r\nanna,user,active,off,,/)
    expect(text).to.not.include('$2')
  })

  it('is for admins only', async () => {
    await app.addUser('anna')
    await expectAdminsOnly(app.url, 'anna', { pages: ['/users.csv'] })
  })
})
