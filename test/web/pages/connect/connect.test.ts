import { expect } from 'chai'
import { BrowserSession } from '../../../support/browser-session.js'
import { startWebApp, type TestWebApp } from '../../../support/web-app.js'

describe('connect', () => {
  let app: TestWebApp
  let browser: BrowserSession

  beforeEach(async () => {
    app = await startWebApp()
    await app.addUser('anna')
    browser = await BrowserSession.loggedIn(app.url, 'anna')
  })
  afterEach(() => app.close())

  for (const [userAgent, text] of [
    ['Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/130.0', 'net use Z:'],
    ['Mozilla/5.0 (Macintosh; Intel Mac OS X 14_0) Safari/605', 'Connect to Server'],
    ['Mozilla/5.0 (X11; Linux x86_64) Firefox/130.0', 'gio mount'],
    ['Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Safari/604', 'any app'],
  ] as const) {
    it(`begins with the system of ${userAgent}`, async () => {
      const { text: html } = await browser.get('/connect', { headers: { 'User-Agent': userAgent } })
      expect(html.toLowerCase()).to.contain(text.toLowerCase())
      expect(html).to.contain(`${app.url}/dav/`)
    })
  }

  it('warns of plain http', async () => {
    expect((await browser.get('/connect?system=windows')).text).to.contain('only over HTTPS')
  })

  it('makes an app password that opens the drive, and shows it once', async () => {
    const made = await browser.submit('/connect/app-password?system=linux', {}, { from: '/connect' })
    const secret = /id="secret"[^>]*>([^<]+)</.exec(made.text)?.[1] ?? ''
    const header = `Basic ${Buffer.from(`anna:${secret}`).toString('base64')}`
    expect(await app.auth.authenticator.basic(header, '127.0.0.1')).to.have.property('ok', true)
    expect((await browser.get('/connect')).text).not.to.contain(secret)
  })
})
