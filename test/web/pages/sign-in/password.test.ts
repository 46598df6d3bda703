import { expect } from 'chai'
import { BrowserSession } from '../../../support/browser-session.js'
import { PASSWORD, startWebApp, type TestWebApp } from '../../../support/web-app.js'

const NEW = 'another long password'

describe('change of the password', () => {
  let app: TestWebApp

  beforeEach(async () => {
    app = await startWebApp()
  })
  afterEach(() => app.close())

  const fields = { currentPassword: PASSWORD, password: NEW, passwordAgain: NEW }

  it('ends the other sessions and goes on with this one under a new id', async () => {
    await app.addUser('anna')
    const browser = await BrowserSession.loggedIn(app.url, 'anna')
    const other = await BrowserSession.loggedIn(app.url, 'anna')
    const before = browser.cookies.get('sid')
    const visit = await browser.submit('/password', fields)
    expect([visit.path, visit.status]).to.deep.equal(['/account', 200])
    expect(visit.text).to.contain('Your password is changed')
    expect(browser.cookies.get('sid')).not.to.equal(before)
    expect((await other.get('/account')).path).to.equal('/login?next=%2Faccount')
    expect((await new BrowserSession(app.url).login('anna', PASSWORD)).status).to.equal(401)
    expect((await new BrowserSession(app.url).login('anna', NEW)).status).to.equal(303)
  })

  it('comes first for who has to choose a new one', async () => {
    await app.addUser('bert', { mustChangePassword: true })
    const browser = await BrowserSession.loggedIn(app.url, 'bert')
    for (const path of ['/dashboard', '/account', '/connect']) {
      expect((await browser.get(path)).path).to.equal('/password')
    }
    expect((await browser.submit('/password', fields)).path).to.equal('/dashboard')
    expect((await browser.get('/account')).path).to.equal('/account')
  })

  for (const [what, changes, field] of [
    ['a wrong current one', { currentPassword: 'wrong' }, 'Current password is wrong'],
    ['two that differ', { passwordAgain: 'x' }, 'New password again is not the same'],
    ['a short one', { password: 'short', passwordAgain: 'short' }, 'New password must have at least 8 characters'],
    ['the same one', { password: PASSWORD, passwordAgain: PASSWORD }, 'New password must be another one'],
  ] as const) {
    it(`refuses ${what} and shows no password again`, async () => {
      await app.addUser('anna')
      const browser = await BrowserSession.loggedIn(app.url, 'anna')
      const visit = await browser.submit('/password', { ...fields, ...changes })
      expect(visit.status).to.equal(422)
      expect(visit.text).to.contain(field).and.not.contain(PASSWORD).and.not.contain(NEW)
    })
  }
})
