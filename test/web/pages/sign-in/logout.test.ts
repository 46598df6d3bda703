import { expect } from 'chai'
import { BrowserSession } from '../../../support/browser-session.js'
import { startWebApp, type TestWebApp } from '../../../support/web-app.js'

describe('logout', () => {
  let app: TestWebApp
  let browser: BrowserSession

  beforeEach(async () => {
    app = await startWebApp()
    await app.addUser('anna')
    browser = await BrowserSession.loggedIn(app.url, 'anna')
  })
  afterEach(() => app.close())

  const home = async (visitor: BrowserSession) => (await visitor.get('/', { redirect: 'manual' })).path

  it('ends the session in the database, not only in the browser', async () => {
    const stolen = new BrowserSession(app.url)
    for (const [name, value] of browser.cookies) stolen.cookies.set(name, value)
    expect(await home(stolen)).to.equal('/dashboard')
    expect((await browser.submit('/logout', {}, { redirect: 'manual' })).path).to.equal('/login')
    expect(await home(stolen)).to.equal('/login')
  })

  it('stands in the audit log, once', async () => {
    await browser.submit('/logout', {}, { redirect: 'manual' })
    await browser.request('/logout', { method: 'POST', redirect: 'manual' })
    const events = (await app.audit.list()).filter(({ type }) => type === 'login.ended')
    expect(events.map(({ actorName, details }) => [actorName, details['via']])).to.deep.equal([['anna', 'session']])
  })

  it('makes the browser forget what it has kept', async () => {
    const visit = await browser.submit('/logout', {}, { redirect: 'manual' })
    expect(visit.headers.get('clear-site-data')).to.equal('"cache", "storage"')
  })

  it('asks first when another site links to it', async () => {
    const visit = await browser.get('/logout', { headers: { 'Sec-Fetch-Site': 'cross-site' } })
    expect(visit.text).to.contain('Do you want to log out')
    expect(await home(browser)).to.equal('/dashboard')
  })

  it('asks first when a browser loads the page ahead', async () => {
    await browser.get('/logout', { headers: { 'Sec-Fetch-Site': 'same-origin', 'Sec-Purpose': 'prefetch' } })
    expect(await home(browser)).to.equal('/dashboard')
  })

  for (const site of ['same-origin', 'none']) {
    it(`logs out by its address when that was meant (${site})`, async () => {
      const visit = await browser.get('/logout', { headers: { 'Sec-Fetch-Site': site }, redirect: 'manual' })
      expect(visit.path).to.equal('/login')
      expect(await home(browser)).to.equal('/login')
    })
  }

  it('refuses a form without the token', async () => {
    expect((await browser.request('/logout', { method: 'POST' })).status).to.equal(403)
    expect(await home(browser)).to.equal('/dashboard')
  })
})
