import { expect } from 'chai'
import { BrowserSession } from '../../support/browser-session.js'
import { PASSWORD, startWebApp, type TestWebApp } from '../../support/web-app.js'

describe('pages of users', () => {
  let app: TestWebApp
  let browser: BrowserSession
  let rootId: number

  beforeEach(async () => {
    app = await startWebApp()
    rootId = await app.addUser('root', { role: 'admin' })
    browser = await BrowserSession.loggedIn(app.url, 'root')
  })
  afterEach(() => app.close())

  const types = async () => (await app.audit.list()).map(({ type, actorName }) => `${type} by ${actorName}`)

  it('lists everybody, finds a part of a name and keeps the order while paging', async () => {
    for (let n = 10; n < 65; n++) await app.addUser(`user${n}`)
    const first = await browser.get('/users?sort=-username')
    expect(first.status).to.equal(200)
    expect(first.text).to.include('1 to 50 of 56 users').and.include('>user64<')
    expect(first.text).to.include('href="/users?sort=-username&amp;page=2"')
    expect((await browser.get('/users?sort=-username&page=2')).text).to.include('51 to 56 of 56 users')
    const found = await browser.get('/users?text=ser11')
    expect(found.text).to.include('>user11<').and.not.include('>user12<')
  })

  it('leads from a page past the end to the last one', async () => {
    expect((await browser.get('/users?page=9')).path).to.equal('/users?page=1')
  })

  it('says what to do when nobody fits', async () => {
    expect((await browser.get('/users?text=nobody')).text).to.include('No user fits')
  })

  it('creates a user, who has to change the password, in the name of the visitor', async () => {
    const fields = { username: 'anna', password: PASSWORD, role: 'user', mustChange: 'on' }
    const visit = await browser.submit('/users', fields, { from: '/users/new' })
    const anna = await app.users.find('anna')
    expect(visit.path).to.equal(`/users/${anna?.id}`)
    expect(visit.text).to.include('The user anna was created.')
    expect(anna).to.include({ role: 'user', mustChangePassword: true })
    expect(await types()).to.include('user.created by root')
  })

  it('shows a refused form again with the problem at its field, and never a password', async () => {
    const visit = await browser.submit(
      '/users',
      { username: 'Anna!', password: 'geheim', role: 'user' },
      { from: '/users/new' },
    )
    expect(visit.status).to.equal(422)
    expect(visit.text).to.include('id="field-username-problem"').and.include('id="field-password-problem"')
    expect(visit.text).to.include('value="Anna!"').and.not.include('geheim')
  })

  it('says in plain words that a name is taken', async () => {
    await app.addUser('anna')
    const visit = await browser.submit(
      '/users',
      { username: 'anna', password: PASSWORD, role: 'user' },
      { from: '/users/new' },
    )
    expect([visit.status, visit.text.includes('There is a user anna already.')]).to.deep.equal([422, true])
  })

  it('changes role, state and password', async () => {
    const id = await app.addUser('anna')
    const from = `/users/${id}`
    await browser.submit(`/users/${id}/role`, { role: 'admin' }, { from })
    await browser.submit(`/users/${id}/state`, { state: 'disabled' }, { from })
    await browser.submit(`/users/${id}/password`, { password: 'another password', mustChange: 'on' }, { from })
    expect(await app.users.get(id)).to.include({ role: 'admin', disabled: true, mustChangePassword: true })
    expect(await types()).to.include.members([
      'user.role-changed by root',
      'user.disabled by root',
      'user.password-changed by root',
    ])
  })

  for (const [change, fields] of [
    ['role', { role: 'user' }],
    ['state', { state: 'disabled' }],
    ['delete', {}],
  ] as const) {
    it(`keeps the last admin from losing the account by ${change}`, async () => {
      const visit = await browser.submit(`/users/${rootId}/${change}`, fields, { from: `/users/${rootId}` })
      expect(visit.status).to.equal(422)
      expect(visit.text).to.include('root is the last active admin')
      expect(await app.users.get(rootId)).to.include({ role: 'admin', disabled: false })
    })
  }

  it('asks before it deletes', async () => {
    const id = await app.addUser('anna')
    expect((await browser.get(`/users/${id}/delete`)).text).to.include('Delete anna?')
    expect((await browser.submit(`/users/${id}/delete`, {})).text).to.include('The user anna was deleted.')
    expect(await app.users.find('anna')).to.equal(undefined)
  })

  it('removes a second factor', async () => {
    const id = await app.addUser('anna')
    await app.database.models.User.update({ totpSecret: 'x', totpConfirmedAt: new Date() }, { where: { id } })
    const visit = await browser.submit(`/users/${id}/second-factor/reset`, {}, { from: `/users/${id}` })
    expect(visit.text).to.include('The second factor was removed.')
    expect((await app.users.get(id)).hasSecondFactor).to.equal(false)
    expect(await types()).to.include('user.second-factor-reset by root')
  })

  it('exports everybody as CSV without anything secret', async () => {
    await app.addUser('anna')
    const { headers, text } = await browser.get('/users.csv')
    expect(headers.get('content-disposition')).to.equal('attachment; filename=users.csv')
    expect(text).to.match(/^\uFEFF?username,role,state,second factor,last login,created\r\nanna,user,active,off,,/)
    expect(text).to.not.include('$2')
  })

  it('is for admins only', async () => {
    await app.addUser('anna')
    const anna = await BrowserSession.loggedIn(app.url, 'anna')
    for (const path of [
      '/users',
      '/users/new',
      '/users.csv',
      '/users/import',
      `/users/${rootId}`,
      `/users/${rootId}/delete`,
    ]) {
      expect((await anna.get(path)).status, path).to.equal(403)
      expect((await new BrowserSession(app.url).get(path, { redirect: 'manual' })).path, path).to.match(/^\/login/)
    }
  })

  it('changes nothing without the token of a form', async () => {
    const asking = {
      method: 'POST',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      body: 'username=x',
    }
    expect((await browser.request('/users', asking)).status).to.equal(403)
  })

  for (const path of ['/users/0', '/users/99999', '/users/1e3', '/users/%3Cscript%3E', '/users/new/delete']) {
    it(`answers 404 for ${path}`, async () => {
      expect((await browser.get(path)).status).to.equal(404)
    })
  }
})
