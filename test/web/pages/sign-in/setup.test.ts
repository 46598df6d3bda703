import { expect } from 'chai'
import { BrowserSession } from '../../../support/browser-session.js'
import { PASSWORD, startWebApp, type TestWebApp } from '../../../support/web-app.js'

describe('set-up', () => {
  let app: TestWebApp
  let link: string

  beforeEach(async () => {
    app = await startWebApp()
    link = app.auth.setup.link('')
  })
  afterEach(() => app.close())

  const fields = () => ({
    token: new URLSearchParams(link.split('?')[1]).get('token') ?? '',
    username: 'root',
    password: PASSWORD,
    passwordAgain: PASSWORD,
  })

  it('makes the first admin by the link and logs in', async () => {
    const browser = new BrowserSession(app.url)
    const visit = await browser.submit('/setup', fields(), { from: link })
    expect(visit.path).to.equal('/dashboard')
    expect(await app.users.find('root')).to.include({ role: 'admin' })
  })

  it('is over after the first admin', async () => {
    await new BrowserSession(app.url).submit('/setup', fields(), { from: link })
    const late = new BrowserSession(app.url)
    expect((await late.get(link)).path).to.equal('/login')
    const visit = await late.submit('/setup', { ...fields(), username: 'evil' }, { from: '/login' })
    expect(visit.status).to.equal(422)
    expect(await app.users.find('evil')).to.equal(undefined)
  })

  it('takes no link but the one from the log', async () => {
    const visit = await new BrowserSession(app.url).get('/setup?token=guess')
    expect([visit.status, visit.text.includes('<form')]).to.deep.equal([403, false])
  })

  it('says what is wrong at its field', async () => {
    const browser = new BrowserSession(app.url)
    const visit = await browser.submit('/setup', { ...fields(), passwordAgain: 'other' }, { from: link })
    expect(visit.status).to.equal(422)
    expect(visit.text).to.contain('Password again is not the same').and.not.contain(PASSWORD)
  })
})
