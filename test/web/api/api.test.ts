import { expect } from 'chai'
import { BrowserSession } from '../../support/browser-session.js'
import { PASSWORD, startWebApp, type TestWebApp } from '../../support/web-app.js'

describe('the API in the web app', () => {
  let app: TestWebApp
  let browser: BrowserSession

  beforeEach(async () => {
    app = await startWebApp()
    await app.addUser('root', { role: 'admin' })
    browser = await BrowserSession.loggedIn(app.url, 'root')
  })
  afterEach(() => app.close())

  const basic = { Authorization: `Basic ${Buffer.from(`root:${PASSWORD}`).toString('base64')}` }
  const post = (headers: Record<string, string>, body: object = { username: 'bert', password: 'long enough' }) =>
    browser.request('/api/v1/users', {
      method: 'POST',
      redirect: 'manual',
      headers: { 'Content-Type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })

  it('is read with the session of a browser', async () => {
    expect(JSON.parse((await browser.get('/api/v1/me')).text)).to.deep.include({ username: 'root', role: 'admin' })
    const session = await browser.get('/api/v1/me')
    expect(JSON.parse(session.text)).to.have.nested.property('login.via', 'session')
  })

  it('takes changes from our own pages only', async () => {
    const token = await browser.csrfToken('/dashboard')
    const other = await BrowserSession.loggedIn(app.url, 'root')
    const foreign = await other.csrfToken('/dashboard')
    const refused: Record<string, string>[] = [
      {},
      { 'X-CSRF-Token': 'wrong' },
      { 'X-CSRF-Token': foreign },
      { 'X-CSRF-Token': token, Origin: 'https://evil.example' },
      { 'X-CSRF-Token': token, Origin: 'null' },
      { 'X-CSRF-Token': token, 'Sec-Fetch-Site': 'cross-site' },
    ]
    for (const headers of refused) expect((await post(headers)).status, JSON.stringify(headers)).to.equal(403)
    expect((await post({ 'X-CSRF-Token': token, 'Content-Type': 'text/plain' })).status).to.equal(415)
    expect(await app.users.list()).to.have.length(1)
    expect((await post({ 'X-CSRF-Token': token, Origin: app.url })).status).to.equal(201)
  })

  it('reads no cookie where there is an Authorization', async () => {
    const reply = await browser.request('/api/v1/me', { headers: { Authorization: 'Bearer nonsense' } })
    expect(reply.status).to.equal(401)
    expect(reply.headers.get('set-cookie')).to.equal(null)
  })

  it('is served before forms are parsed, with the headers of everything else', async () => {
    const reply = await fetch(`${app.url}/api/v1/users`, { headers: basic })
    expect(reply.status).to.equal(200)
    expect(reply.headers.get('content-security-policy')).to.include("default-src 'self'")
    expect(reply.headers.get('x-content-type-options')).to.equal('nosniff')
    expect(reply.headers.get('access-control-allow-origin')).to.equal(null)
  })

  it('changes the password of a session that goes on, while others end', async () => {
    const other = await BrowserSession.loggedIn(app.url, 'root')
    const reply = await browser.request('/api/v1/me/password', {
      method: 'PUT',
      headers: { 'Content-Type': 'application/json', 'X-CSRF-Token': await browser.csrfToken('/dashboard') },
      body: JSON.stringify({ currentPassword: PASSWORD, password: 'another long one' }),
    })
    expect(reply.status, reply.text).to.equal(204)
    expect((await browser.get('/api/v1/me')).status).to.equal(200)
    expect((await other.get('/api/v1/me')).status).to.equal(401)
  })

  it('logs a browser out that asks for JSON', async () => {
    const headers = { Accept: 'application/json' }
    expect((await browser.get('/logout', { headers })).status).to.equal(204)
    expect((await browser.get('/api/v1/me')).status).to.equal(401)
  })

  it('leaves forms and pages of the shared paths alone', async () => {
    const page = await new BrowserSession(app.url).get('/login', { headers: { Accept: 'text/html' } })
    expect(page.headers.get('content-type')).to.match(/^text\/html/)
    expect((await new BrowserSession(app.url).get('/login', { headers: { Accept: '*/*' } })).status).to.equal(200)
    const put = await fetch(`${app.url}/login`, { method: 'PUT', headers: { Accept: 'application/json' } })
    expect([put.status, put.headers.get('allow')]).to.deep.equal([405, 'POST'])
  })
})
