import { expect } from 'chai'
import { BrowserSession } from '../../../support/browser-session.js'
import { actor } from '../../../support/services.js'
import { startUsersApp, type UsersApp } from './users-app.js'

describe('an API token of a user', () => {
  let app: UsersApp
  let anna: number
  let id: number

  beforeEach(async () => {
    app = await startUsersApp()
    anna = await app.addUser('anna')
    id = (await app.auth.apiTokens.create(anna, { name: 'Note<b>book', scopes: ['files:read'] }, actor)).token.id
  })
  afterEach(() => app.close())

  const revoke = (user: number, browser = app.browser, from = `/users/${anna}`) =>
    browser.submit(`/users/${user}/api-tokens/${id}/revoke`, {}, { from })

  it('is revoked from the page of the user, in the name of the visitor', async () => {
    const visit = await revoke(anna)
    expect(visit.path).to.equal(`/users/${anna}`)
    expect(visit.text)
      .to.include('The API token is revoked; what used it is cut off.')
      .and.not.include('Note&lt;b&gt;book')
    expect(await app.auth.apiTokens.list(anna)).to.deep.equal([])
    expect(await app.types()).to.include('api-token.revoked by root')
  })

  it('is found only at the user whose it is', async () => {
    expect((await revoke(app.rootId)).status).to.equal(404)
    expect(await app.auth.apiTokens.list(anna)).to.have.length(1)
  })

  it('is revoked by admins only', async () => {
    const visitor = await BrowserSession.loggedIn(app.url, 'anna')
    expect((await revoke(anna, visitor, '/account')).status).to.equal(403)
    expect(await app.auth.apiTokens.list(anna)).to.have.length(1)
  })
})
