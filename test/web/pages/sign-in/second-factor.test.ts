import { expect } from 'chai'
import { Secret, TOTP } from 'otpauth'
import { BrowserSession } from '../../../support/browser-session.js'
import { PASSWORD, startWebApp, type TestWebApp } from '../../../support/web-app.js'

describe('second factor', () => {
  let app: TestWebApp
  let browser: BrowserSession

  beforeEach(async () => {
    app = await startWebApp()
    await app.addUser('anna')
    browser = await BrowserSession.loggedIn(app.url, 'anna')
  })
  afterEach(() => app.close())

  const AT = '/account/second-factor'

  /** Turns it on in the browser. @returns the recovery codes */
  async function turnOn(): Promise<string[]> {
    const begun = await browser.submit(`${AT}/begin`, { currentPassword: PASSWORD }, { from: AT })
    expect(begun.text).to.contain('<svg').and.not.contain('style=')
    const key = /id="secret"[^>]*>([^<]+)</.exec(begun.text)?.[1]?.replaceAll(' ', '') ?? ''
    const code = new TOTP({ secret: Secret.fromBase32(key) }).generate()
    const on = await browser.submit(`${AT}/confirm`, { code }, { from: AT })
    expect(on.status).to.equal(200)
    // A form of this very page works: its token belongs to the new session.
    expect(on.text).to.contain(`content="${await browser.csrfToken('/account')}"`)
    return on.text.match(/[0-9a-z]{4}(-[0-9a-z]{4}){3}/g) ?? []
  }

  it('is turned on with a code, and then asked for at each login', async () => {
    const codes = await turnOn()
    expect(codes).to.have.length(10)
    expect((await browser.get('/account')).path).to.equal('/account')

    const fresh = new BrowserSession(app.url)
    const first = await fresh.login('anna')
    expect(first.path).to.equal('/login/second-factor?next=%2F')
    expect((await fresh.get('/account')).path).to.contain('/login')

    const wrong = await fresh.submit('/login/second-factor', { code: '000000' })
    expect(wrong.status).to.equal(422)
    const right = await fresh.submit('/login/second-factor', { recoveryCode: codes[0] ?? '', next: '/connect' })
    expect(right.path).to.equal('/connect')
  })

  it('takes a recovery code once', async () => {
    const [code = ''] = await turnOn()
    for (const status of [303, 422]) {
      const fresh = new BrowserSession(app.url)
      await fresh.login('anna')
      const visit = await fresh.submit('/login/second-factor', { recoveryCode: code }, { redirect: 'manual' })
      expect(visit.status).to.equal(status)
    }
  })

  it('goes back to the password after too many wrong codes', async () => {
    await turnOn()
    const fresh = new BrowserSession(app.url)
    await fresh.login('anna')
    const page = '/login/second-factor'
    for (let i = 0; i < 5; i++) await fresh.submit(page, { code: '000000' })
    expect((await fresh.submit(page, { code: '000000' })).status).to.equal(429)
    expect((await fresh.get(page)).path).to.equal('/login')
  })

  it('is turned off with password and code, and needs both', async () => {
    const [code = ''] = await turnOn()
    const refused = await browser.submit(`${AT}/disable`, { currentPassword: 'wrong', code }, { from: AT })
    expect(refused.status).to.equal(422)
    const off = await browser.submit(`${AT}/disable`, { currentPassword: PASSWORD, code }, { from: AT })
    expect(off.text).to.contain('The second factor is off.')
    expect((await new BrowserSession(app.url).login('anna')).path).to.equal('/')
  })

  it('needs the password to begin', async () => {
    const visit = await browser.submit(`${AT}/begin`, { currentPassword: 'wrong' }, { from: AT })
    expect([
      visit.status,
      visit.text.includes('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 53'),
    ]).to.deep.equal([422, false])
  })

  it('has no second step without the first', async () => {
    expect((await new BrowserSession(app.url).get('/login/second-factor')).path).to.equal('/login')
  })
})
