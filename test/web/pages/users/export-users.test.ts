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
    expect(text).to.match(
      /^\uFEFF?username,role,disabled,mustChangePassword,hasSecondFactor,lastLoginAt,createdAt\r\nanna,user,false,false,false,,/,
    )
    expect(text).to.not.include('$2')
  })

  it('exports what the import takes as it is', async () => {
    await app.addUser('anna')
    const { text } = await app.browser.get('/users.csv')
    const visit = await app.browser.submit('/users/import', { rows: text.replace('anna,user', 'anna,admin') })
    expect(visit.text).to.include('One user was changed.')
    expect(await app.users.find('anna')).to.include({ role: 'admin', disabled: false })
  })

  it('is for admins only', async () => {
    await app.addUser('anna')
    await expectAdminsOnly(app.url, 'anna', { pages: ['/users.csv'] })
  })
})
