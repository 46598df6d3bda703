import { expect } from 'chai'
import { expectAdminsOnly } from '../../../support/admins-only.js'
import { BrowserSession } from '../../../support/browser-session.js'
import { actor } from '../../../support/services.js'
import { startUsersApp, type UsersApp } from './users-app.js'

describe('the page of a user', () => {
  let app: UsersApp
  let anna: number

  beforeEach(async () => {
    app = await startUsersApp()
    anna = await app.addUser('anna')
  })
  afterEach(() => app.close())

  it('shows app passwords, API tokens and sessions of the user, and no secret', async () => {
    const { secret } = await app.auth.appPasswords.create(anna, { name: 'Note<b>book', readOnly: true }, actor)
    const token = await app.auth.apiTokens.create(anna, { name: 'nightly', scopes: ['files:read'] }, actor)
    await app.auth.appPasswords.create(app.rootId, { name: 'of root' }, actor)
    const visitor = new BrowserSession(app.url, { 'User-Agent': 'Mozilla/5.0 (X11; Linux) Firefox/140.0' })
    await visitor.login('anna')
    const { text } = await app.browser.get(`/users/${anna}`)
    expect(text).to.include('Note&lt;b&gt;book').and.include('>read only<').and.include('>files:read<')
    expect(text).to.include('nightly').and.include('Firefox on Linux').and.not.include('of root')
    expect(text).to.not.include(secret).and.not.include(token.secret)
  })

  it('offers to end every session but the one that shows it', async () => {
    await BrowserSession.loggedIn(app.url, 'root')
    const { text } = await app.browser.get(`/users/${app.rootId}`)
    expect(text.match(/this one/g)).to.have.length(1)
    expect(text.match(/\/sessions\/[\w%-]+\/end"/g)).to.have.length(1)
    expect(text).to.include('End all others')
  })

  it('says so where there is nothing to revoke', async () => {
    const { text } = await app.browser.get(`/users/${anna}`)
    expect(text.match(/>None\.</g)).to.have.length(3)
  })

  for (const path of ['/users/0', '/users/99999', '/users/1e3', '/users/%3Cscript%3E']) {
    it(`answers 404 for ${path}`, async () => {
      expect((await app.browser.get(path)).status).to.equal(404)
    })
  }

  it('is for admins only', async () => {
    await expectAdminsOnly(app.url, 'anna', { pages: [`/users/${app.rootId}`] })
  })
})
