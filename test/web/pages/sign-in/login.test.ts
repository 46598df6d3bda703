import { expect } from 'chai'
import { actor } from '../../../support/services.js'
import { BrowserSession } from '../../../support/browser-session.js'
import { PASSWORD, startWebApp, type TestWebApp } from '../../../support/web-app.js'

describe('login', () => {
  let app: TestWebApp
  let browser: BrowserSession

  beforeEach(async () => {
    app = await startWebApp()
    await app.addUser('anna')
    browser = new BrowserSession(app.url)
  })
  afterEach(() => app.close())

  it('lets in who knows the password, under a new session that a script cannot read', async () => {
    const visit = await browser.login('anna')
    expect([visit.status, visit.path]).to.deep.equal([303, '/'])
    const cookie = visit.headers.getSetCookie().find((line) => line.startsWith('sid='))
    expect(cookie).to.match(/; Path=\/;.*HttpOnly; SameSite=Lax/)
    expect((await browser.get('/', { redirect: 'manual' })).path).to.equal('/dashboard')
  })

  it('gives the page that was wanted, and no other site', async () => {
    for (const [next, target] of [
      ['/files/server2/?sort=name', '/files/server2/?sort=name'],
      ['//evil.example', '/'],
      ['/\\evil.example', '/'],
      ['https://evil.example', '/'],
      ['/x\r\nSet-Cookie: x', '/'],
    ] as const) {
      const visitor = new BrowserSession(app.url)
      const page = await visitor.get(`/login?next=${encodeURIComponent(next)}`)
      const shown = /name="next" value="([^"]*)"/.exec(page.text)?.[1]
      expect(shown).to.equal(target)
      const visit = await visitor.submit(
        '/login',
        { username: 'anna', password: PASSWORD, next },
        { redirect: 'manual' },
      )
      expect(visit.path).to.equal(target)
    }
  })

  it('says the same of a name that nobody has and of a wrong password', async () => {
    const answers = []
    for (const username of ['anna', 'nobody']) {
      const visit = await new BrowserSession(app.url).login(username, 'wrong')
      expect(visit.status).to.equal(401)
      expect(visit.headers.get('www-authenticate')).not.to.match(/basic/i)
      answers.push(visit.text.replaceAll(username, 'x').replaceAll(/value="[\w-]{43}"|content="[\w-]{43}"/g, ''))
    }
    expect(answers[0]).to.contain('Wrong username or password.')
    expect(answers[0]).to.equal(answers[1])
  })

  it('shows the name again and never the password', async () => {
    const visit = await browser.login('anna', 'a wrong secret')
    expect(visit.text).to.contain('value="anna"').and.not.contain('a wrong secret')
  })

  it('takes a name as telephones write it', async () => {
    expect((await browser.login('Anna ')).path).to.equal('/')
  })

  it('answers 429 with the time to wait after too many wrong passwords', async () => {
    for (let i = 0; i < 10; i++) await app.auth.throttle.failed('anna', '127.0.0.1')
    const visit = await browser.login('anna')
    expect(visit.status).to.equal(429)
    expect(Number(visit.headers.get('retry-after'))).to.be.greaterThan(0)
    expect(visit.text).to.contain('Too many wrong passwords')
  })

  it('begins a session with an id that nobody could have set before', async () => {
    await browser.login('anna')
    const before = browser.cookies.get('sid')
    await browser.submit('/login', { username: 'anna', password: PASSWORD }, { from: '/logout', redirect: 'manual' })
    expect(browser.cookies.get('sid')).not.to.equal(before)
  })

  for (const [what, body, type] of [
    ['a form from another site', 'username=anna&password=x', 'application/x-www-form-urlencoded'],
    ['texts that pretend to be a form', '{"username":"anna"}', 'text/plain'],
    ['lists instead of texts', 'username[]=anna&password[$ne]=', 'application/x-www-form-urlencoded'],
  ] as const) {
    it(`refuses ${what}`, async () => {
      const visit = await browser.request('/login', { method: 'POST', body, headers: { 'Content-Type': type } })
      expect(visit.status).to.equal(403)
    })
  }

  for (const fields of [{}, { username: ['anna', 'x'], password: PASSWORD }, { 'username[$ne]': '', password: 'x' }]) {
    it(`treats ${JSON.stringify(fields)} as a wrong login`, async () => {
      expect((await browser.submit('/login', fields)).status).to.equal(401)
    })
  }

  it('notes logins and refusals for the audit', async () => {
    await browser.login('anna', 'wrong')
    await browser.login('anna')
    await app.auth.logins.stop()
    const events = await app.database.models.AuditEvent.findAll({ order: [['id', 'ASC']] })
    const types = events.map((event) => event.type).filter((type) => type.startsWith('login.'))
    expect(types).to.deep.equal(['login.refused', 'login.succeeded'])
  })

  it('ends a session at once when its user is disabled', async () => {
    await browser.login('anna')
    const anna = await app.users.find('anna')
    await app.users.setDisabled(anna?.id ?? 0, true, actor)
    expect((await browser.get('/', { redirect: 'manual' })).path).to.equal('/login')
  })

  it('points to the log while there is no user at all', async () => {
    const fresh = await startWebApp()
    try {
      const visit = await new BrowserSession(fresh.url).get('/login')
      expect(visit.text).to.contain('Not set up yet').and.not.contain('token=')
    } finally {
      await fresh.close()
    }
  })
})
