import { expect } from 'chai'
import { BrowserSession } from '../../../support/browser-session.js'
import { startUsersApp, type UsersApp } from './users-app.js'

describe('all sessions of a user', () => {
  let app: UsersApp
  let anna: number
  let visitor: BrowserSession

  beforeEach(async () => {
    app = await startUsersApp()
    anna = await app.addUser('anna')
    visitor = await BrowserSession.loggedIn(app.url, 'anna')
  })
  afterEach(() => app.close())

  it('are ended at once, in the name of the visitor', async () => {
    await BrowserSession.loggedIn(app.url, 'anna')
    const visit = await app.browser.submit(`/users/${anna}/sessions/end`, {}, { from: `/users/${anna}` })
    expect(visit.text).to.include('2 sessions have ended.')
    expect((await visitor.get('/account')).path).to.contain('/login')
    expect(await app.types()).to.include('user.sessions-ended by root')
  })

  it('are ended but the one that asks, where it is the own', async () => {
    const other = await BrowserSession.loggedIn(app.url, 'root')
    const own = `/users/${app.rootId}`
    const visit = await app.browser.submit(`${own}/sessions/end`, {}, { from: own })
    expect([visit.path, visit.text.includes('One session has ended.')]).to.deep.equal([own, true])
    expect((await other.get('/account')).path).to.contain('/login')
  })

  it('are ended by admins only', async () => {
    const path = `/users/${app.rootId}/sessions/end`
    expect((await visitor.submit(path, {}, { from: '/account' })).status).to.equal(403)
    expect(await app.auth.sessions.list(app.rootId)).to.have.length(1)
  })
})
