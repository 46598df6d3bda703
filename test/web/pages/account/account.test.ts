import { expect } from 'chai'
import { BrowserSession } from '../../../support/browser-session.js'
import { actor } from '../../../support/services.js'
import { startWebApp, type TestWebApp } from '../../../support/web-app.js'

describe('account', () => {
  let app: TestWebApp
  let browser: BrowserSession
  let anna: number

  beforeEach(async () => {
    app = await startWebApp()
    anna = await app.addUser('anna')
    browser = await BrowserSession.loggedIn(app.url, 'anna')
  })
  afterEach(() => app.close())

  it('is closed for who is not logged in', async () => {
    expect((await new BrowserSession(app.url).get('/account')).path).to.equal('/login?next=%2Faccount')
  })

  it('shows a new app password once, with what it is limited to', async () => {
    const fields = { name: 'Note<b>book', readOnly: 'on', expiresAt: '2099-01-31' }
    const made = await browser.submit('/account/app-passwords', fields, { from: '/account' })
    expect(made.status).to.equal(201)
    const secret = /id="drive-secret"[^>]*>([^<]+)</.exec(made.text)?.[1] ?? 'none'
    const { text } = await browser.get('/account')
    expect(text).to.contain('Note&lt;b&gt;book').and.contain('read only').and.contain('2099-01-31')
    expect(text).not.to.contain(secret)
  })

  it('says what is wrong with a name', async () => {
    const visit = await browser.submit('/account/app-passwords', { name: '' }, { from: '/account' })
    expect([visit.status, visit.text.includes('Name must not be empty')]).to.deep.equal([422, true])
  })

  it('revokes an app password, and none of somebody else', async () => {
    const bert = await app.addUser('bert')
    const own = await app.auth.appPasswords.create(anna, { name: 'own' }, actor)
    const foreign = await app.auth.appPasswords.create(bert, { name: 'foreign' }, actor)
    const revoke = (id: number) =>
      browser.submit(`/account/app-passwords/${id}/revoke`, {}, { from: '/account', redirect: 'manual' })
    expect((await revoke(own.appPassword.id)).status).to.equal(303)
    expect((await revoke(foreign.appPassword.id)).status).to.equal(404)
    expect(await app.auth.appPasswords.list(anna)).to.deep.equal([])
    expect(await app.auth.appPasswords.list(bert)).to.have.length(1)
  })

  it('makes API tokens of what the user may do, no more', async () => {
    const fields = { name: 'backup', scopes: ['files:read', 'admin:write'] }
    const made = await browser.submit('/account/api-tokens', fields, { from: '/account' })
    expect(made.status).to.equal(201)
    const [token] = await app.auth.apiTokens.list(anna)
    expect(token?.scopes).to.deep.equal(['files:read'])
    await browser.submit(`/account/api-tokens/${token?.id}/revoke`, {}, { from: '/account' })
    expect(await app.auth.apiTokens.list(anna)).to.deep.equal([])
  })

  it('asks what a token is for', async () => {
    const visit = await browser.submit('/account/api-tokens', { name: 'x' }, { from: '/account' })
    expect([visit.status, visit.text.includes('must name what the token may do')]).to.deep.equal([422, true])
  })

  it('ends one other session, or all, and keeps this one', async () => {
    const others = [1, 2, 3].map(() => new BrowserSession(app.url))
    for (const other of others) await other.login('anna')
    const { text } = await browser.get('/account')
    expect(text.match(/this one/g)).to.have.length(1)
    const ends = text.match(/\/account\/sessions\/[\w%-]+\/end(?=")/g) ?? []
    expect(ends).to.have.length(3)
    await browser.submit(ends[0] ?? '', {}, { from: '/account' })
    expect(await app.auth.sessions.list(anna)).to.have.length(3)
    const visit = await browser.submit('/account/sessions/end-others', {}, { from: '/account' })
    expect(visit.text).to.contain('2 other sessions have ended.')
    for (const other of others) expect((await other.get('/account')).path).to.contain('/login')
    expect((await browser.get('/account')).path).to.equal('/account')
  })
})
