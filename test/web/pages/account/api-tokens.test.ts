import { expect } from 'chai'
import { startAccountApp, type AccountApp } from './account-app.js'

describe('own API tokens', () => {
  let app: AccountApp

  beforeEach(async () => {
    app = await startAccountApp()
  })
  afterEach(() => app.close())

  it('makes API tokens of what the user may do, no more', async () => {
    const fields = { name: 'backup', scopes: ['files:read', 'admin:write'] }
    const made = await app.browser.submit('/account/api-tokens', fields, { from: '/account' })
    expect(made.status).to.equal(201)
    const [token] = await app.auth.apiTokens.list(app.anna)
    expect(token?.scopes).to.deep.equal(['files:read'])
    await app.browser.submit(`/account/api-tokens/${token?.id}/revoke`, {}, { from: '/account' })
    expect(await app.auth.apiTokens.list(app.anna)).to.deep.equal([])
  })

  it('asks what a token is for', async () => {
    const visit = await app.browser.submit('/account/api-tokens', { name: 'x' }, { from: '/account' })
    expect([visit.status, visit.text.includes('must name what the token may do')]).to.deep.equal([422, true])
  })
})
