import { expect } from 'chai'
import { BrowserSession } from '../../../support/browser-session.js'
import { startAccountApp, type AccountApp } from './account-app.js'

describe('own sessions', () => {
  let app: AccountApp

  beforeEach(async () => {
    app = await startAccountApp()
  })
  afterEach(() => app.close())

  it('ends one other session, or all, and keeps this one', async () => {
    const others = [1, 2, 3].map(() => new BrowserSession(app.url))
    for (const other of others) await other.login('anna')
    const { text } = await app.browser.get('/account')
    expect(text.match(/this one/g)).to.have.length(1)
    const ends = text.match(/\/account\/sessions\/[\w%-]+\/end(?=")/g) ?? []
    expect(ends).to.have.length(3)
    await app.browser.submit(ends[0] ?? '', {}, { from: '/account' })
    expect(await app.auth.sessions.list(app.anna)).to.have.length(3)
    const visit = await app.browser.submit('/account/sessions/end-others', {}, { from: '/account' })
    expect(visit.text).to.contain('2 other sessions have ended.')
    for (const other of others) expect((await other.get('/account')).path).to.contain('/login')
    expect((await app.browser.get('/account')).path).to.equal('/account')
  })
})
