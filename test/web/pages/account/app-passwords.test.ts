import { expect } from 'chai'
import { actor } from '../../../support/services.js'
import { startAccountApp, type AccountApp } from './account-app.js'

describe('own app passwords', () => {
  let app: AccountApp

  beforeEach(async () => {
    app = await startAccountApp()
  })
  afterEach(() => app.close())

  it('shows a new app password once, with what it is limited to', async () => {
    const fields = { name: 'Note<b>book', readOnly: 'on', expiresAt: '2099-01-31' }
    const made = await app.browser.submit('/account/app-passwords', fields, { from: '/account' })
    expect(made.status).to.equal(201)
    const secret = /id="drive-secret"[^>]*>([^<]+)</.exec(made.text)?.[1] ?? 'none'
    const { text } = await app.browser.get('/account')
    expect(text).to.contain('Note&lt;b&gt;book').and.contain('read only').and.contain('2099-01-31')
    expect(text).not.to.contain(secret)
  })

  it('says what is wrong with a name', async () => {
    const visit = await app.browser.submit('/account/app-passwords', { name: '' }, { from: '/account' })
    expect([visit.status, visit.text.includes('Name must not be empty')]).to.deep.equal([422, true])
  })

  it('revokes an app password, and none of somebody else', async () => {
    const bert = await app.addUser('bert')
    const own = await app.auth.appPasswords.create(app.anna, { name: 'own' }, actor)
    const foreign = await app.auth.appPasswords.create(bert, { name: 'foreign' }, actor)
    const revoke = (id: number) =>
      app.browser.submit(`/account/app-passwords/${id}/revoke`, {}, { from: '/account', redirect: 'manual' })
    expect((await revoke(own.appPassword.id)).status).to.equal(303)
    expect((await revoke(foreign.appPassword.id)).status).to.equal(404)
    expect(await app.auth.appPasswords.list(app.anna)).to.deep.equal([])
    expect(await app.auth.appPasswords.list(bert)).to.have.length(1)
  })
})
