import { expect } from 'chai'
import { expectAdminsOnly } from '../../../support/admins-only.js'
import { startUsersApp, type UsersApp } from './users-app.js'

describe('import of users', () => {
  let app: UsersApp

  beforeEach(async () => {
    app = await startUsersApp()
  })
  afterEach(() => app.close())

  it('imports all lines of a CSV text, each with a forced change', async () => {
    const rows = 'username,password,role\r\nanna,"a, long password",\r\nbert,another password,admin\r\n'
    const visit = await app.browser.submit('/users/import', { rows })
    expect(visit.text).to.include('2 users were created.')
    expect(await app.users.find('bert')).to.include({ role: 'admin', mustChangePassword: true })
    expect(await app.users.find('anna')).to.include({ role: 'user', mustChangePassword: true })
  })

  it('imports nothing when one line is wrong, and names it', async () => {
    const visit = await app.browser.submit('/users/import', {
      rows: 'username,password\nanna,long enough\nBERT!,long enough',
    })
    expect(visit.status).to.equal(422)
    expect(visit.text).to.include('line 3: username must be')
    expect(visit.text).to.not.include('long enough')
    expect(await app.users.find('anna')).to.equal(undefined)
  })

  it('changes who is there already, and makes nobody choose another password without need', async () => {
    await app.addUser('anna')
    await app.addUser('bert')
    const rows = 'username;password;Role;disabled\r\nanna;;admin;\r\nbert;;;true\r\nroot;;;\r\ncarla;long enough;;'
    const visit = await app.browser.submit('/users/import', { rows })
    expect(visit.text).to.include('One user was created. 2 users were changed.')
    expect(await app.users.find('anna')).to.include({ role: 'admin', disabled: false, mustChangePassword: false })
    expect(await app.users.find('bert')).to.include({ role: 'user', disabled: true })
    expect(await app.types()).to.include.members(['user.role-changed by root', 'user.disabled by root'])
  })

  it('lets the text say that a password may stay', async () => {
    const rows = 'username,password,mustChangePassword\nanna,long enough,false'
    await app.browser.submit('/users/import', { rows })
    expect(await app.users.find('anna')).to.include({ mustChangePassword: false })
  })

  it('takes 500 lines and no more', async () => {
    const lines = (count: number) => ({ rows: `username\n${'root\n'.repeat(count)}` })
    expect((await app.browser.get('/users/import')).text).to.include('At most 500 users')
    expect((await app.browser.submit('/users/import', lines(501))).text).to.include('more than 500 rows')
    expect((await app.browser.submit('/users/import', lines(500))).text)
      .to.include('there twice')
      .and.include('494 more')
  })

  it('keeps the last active admin, and then changes nobody', async () => {
    const rows = 'username,password,role\nanna,long enough,\nroot,,user'
    const visit = await app.browser.submit('/users/import', { rows })
    expect([visit.status, visit.text.includes('root is the last active admin')]).to.deep.equal([422, true])
    expect(await app.users.find('anna')).to.equal(undefined)
  })

  for (const [what, rows, says] of [
    ['nothing', ' ', 'is empty'],
    ['no columns', 'anna,password', 'names the columns'],
    ['an open quote', 'username,password\n"anna,x', 'without an end'],
    ['a line without columns', 'username,password', 'no line below'],
    ['an unknown column', 'username,passwordHash\nanna,x', 'passwordHash is no column'],
    ['a new user without a password', 'username\nanna', 'line 2: password is required'],
    ['a name twice', 'username,password\nanna,long enough\nanna,long enough', 'there twice'],
  ] as const) {
    it(`refuses ${what} to import`, async () => {
      const visit = await app.browser.submit('/users/import', { rows })
      expect(visit.status).to.equal(422)
      expect(visit.text).to.include(says)
    })
  }

  it('is for admins only', async () => {
    await app.addUser('anna')
    await expectAdminsOnly(app.url, 'anna', { pages: ['/users/import'], forms: ['/users/import'] })
  })
})
