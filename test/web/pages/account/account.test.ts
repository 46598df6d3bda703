import { expect } from 'chai'
import { BrowserSession } from '../../../support/browser-session.js'
import { startAccountApp, type AccountApp } from './account-app.js'

describe('account', () => {
  let app: AccountApp

  beforeEach(async () => {
    app = await startAccountApp()
  })
  afterEach(() => app.close())

  it('is closed for who is not logged in', async () => {
    expect((await new BrowserSession(app.url).get('/account')).path).to.equal('/login?next=%2Faccount')
  })
})
