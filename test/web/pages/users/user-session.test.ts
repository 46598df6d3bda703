import { expect } from 'chai'
import { BrowserSession } from '../../../support/browser-session.js'
import { startUsersApp, type UsersApp } from './users-app.js'

describe('a session of a user', () => {
  let app: UsersApp
  let anna: number
  let browsers: BrowserSession[]

  beforeEach(async () => {
    app = await startUsersApp()
    anna = await app.addUser('anna')
    browsers = [await BrowserSession.loggedIn(app.url, 'anna'), await BrowserSession.loggedIn(app.url, 'anna')]
  })
  afterEach(() => app.close())

  const end = async (user: number, browser = app.browser, from = `/users/${anna}`) => {
    const [session] = await app.auth.sessions.list(anna)
    return browser.submit(`/users/${user}/sessions/${session?.key}/end`, {}, { from })
  }
  const loggedIn = async () => {
    const visits = await Promise.all(browsers.map((browser) => browser.get('/account')))
    return visits.filter(({ path }) => path === '/account').length
  }

  it('is ended from the page of the user, in the name of the visitor; the others stay', async () => {
    const visit = await end(anna)
    expect(visit.path).to.equal(`/users/${anna}`)
    expect(visit.text).to.include('The session has ended.')
    expect(await loggedIn()).to.equal(1)
    expect(await app.types()).to.include('user.sessions-ended by root')
  })

  it('is found only at the user whose it is', async () => {
    expect((await end(app.rootId)).status).to.equal(404)
    expect(await loggedIn()).to.equal(2)
  })

  it('is ended by admins only', async () => {
    const [visitor] = browsers
    expect((await end(anna, visitor, '/account')).status).to.equal(403)
    expect(await loggedIn()).to.equal(2)
  })
})
