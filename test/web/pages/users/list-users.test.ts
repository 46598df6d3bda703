import { expect } from 'chai'
import { expectAdminsOnly } from '../../../support/admins-only.js'
import { startUsersApp, type UsersApp } from './users-app.js'

describe('list of users', () => {
  let app: UsersApp

  beforeEach(async () => {
    app = await startUsersApp()
  })
  afterEach(() => app.close())

  it('lists everybody, finds a part of a name and keeps the order while paging', async () => {
    for (let n = 10; n < 65; n++) await app.addUser(`user${n}`)
    const first = await app.browser.get('/users?sort=-username')
    expect(first.status).to.equal(200)
    expect(first.text).to.include('1 to 50 of 56 users').and.include('>user64<')
    expect(first.text).to.include('href="/users?sort=-username&amp;page=2"')
    expect((await app.browser.get('/users?sort=-username&page=2')).text).to.include('51 to 56 of 56 users')
    const found = await app.browser.get('/users?text=ser11')
    expect(found.text).to.include('>user11<').and.not.include('>user12<')
  })

  it('leads from a page past the end to the last one', async () => {
    expect((await app.browser.get('/users?page=9')).path).to.equal('/users?page=1')
  })

  it('says what to do when nobody fits', async () => {
    expect((await app.browser.get('/users?text=nobody')).text).to.include('No user fits')
  })

  it('is for admins only', async () => {
    await app.addUser('anna')
    await expectAdminsOnly(app.url, 'anna', { pages: ['/users'] })
  })
})
