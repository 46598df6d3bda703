import { expect } from 'chai'
import { BrowserSession } from '../../support/browser-session.js'
import { actor, FINGERPRINT } from '../../support/services.js'
import { startWebApp, type TestWebApp } from '../../support/web-app.js'

describe('pages of permissions', () => {
  let app: TestWebApp
  let browser: BrowserSession
  let anna: number
  let bert: number
  let alpha: number
  let beta: number

  beforeEach(async () => {
    app = await startWebApp()
    await app.addUser('root', { role: 'admin' })
    anna = await app.addUser('anna')
    bert = await app.addUser('bert')
    alpha = await addServer('alpha')
    beta = await addServer('beta')
    browser = await BrowserSession.loggedIn(app.url, 'root')
  })
  afterEach(() => app.close())

  const addServer = async (alias: string) => {
    const trust = { fingerprint: FINGERPRINT }
    return (await app.servers.create({ alias, protocol: 'sftp', host: 'files.example.com', trust }, actor)).id
  }
  const grant = (users: number[], servers: number[], fields: Record<string, string> = {}) =>
    browser.submit(
      '/permissions',
      { users: users.map(String), servers: servers.map(String), access: 'read-write', ...fields },
      { from: '/permissions/new' },
    )

  it('says what to do while nothing is granted', async () => {
    expect((await browser.get('/permissions')).text).to.include('Nothing is granted yet')
  })

  it('offers what is missing, from the user and from the server side', async () => {
    await app.permissions.grant({ userId: anna, serverId: alpha }, actor)
    const ofUser = (await browser.get(`/permissions/new?user=${anna}`)).text
    expect(ofUser)
      .to.match(new RegExp(`id="user-${anna}" checked`))
      .and.match(new RegExp(`id="server-${alpha}" disabled`))
    const ofServer = (await browser.get(`/permissions/new?server=${alpha}`)).text
    expect(ofServer)
      .to.match(new RegExp(`id="server-${alpha}" checked`))
      .and.match(new RegExp(`id="user-${anna}" disabled`))
  })

  it('grants one with everything that can be said, and shows no secret', async () => {
    const fields = {
      remoteUser: 'a.smith',
      access: 'read-only',
      root: 'projects',
      endsAt: '2099-01-31',
      selfService: 'on',
      password: 'geheim-1',
    }
    const visit = await grant([anna], [alpha], fields)
    const permission = await app.permissions.find(anna, alpha)
    expect(visit.path).to.equal(`/permissions/${permission?.id}`)
    expect(visit.text).to.include('A password is stored.').and.include('value="2099-01-31"').and.not.include('geheim-1')
    expect(permission).to.deep.include({
      remoteUser: 'a.smith',
      access: 'read-only',
      root: 'projects',
      endsAt: new Date('2099-01-31T23:59:59.999Z'),
      selfService: true,
      credentials: 'password',
    })
    expect((await app.audit.list())[0]).to.include({ type: 'permission.granted', actorName: 'root' })
  })

  it('grants several servers to several users at once', async () => {
    expect((await grant([anna, bert], [alpha, beta])).text).to.include('4 permissions were granted.')
    expect(await app.permissions.list()).to.have.length(4)
  })

  it('grants none of several when one exists', async () => {
    await app.permissions.grant({ userId: bert, serverId: beta }, actor)
    const visit = await grant([anna, bert], [alpha, beta])
    expect([visit.status, visit.text.includes('bert has a permission on beta already.')]).to.deep.equal([422, true])
    expect(await app.permissions.list()).to.have.length(1)
  })

  for (const [what, users, fields, says] of [
    ['nobody', false, {}, 'Users must be chosen'],
    ['a wrong date', true, { endsAt: '31.01.2099' }, 'id="field-endsAt-problem"'],
    ['a folder that climbs', true, { root: '../x' }, 'id="field-root-problem"'],
    ['a login with a line break', true, { remoteUser: 'a\nb' }, 'id="field-remoteUser-problem"'],
    ['a key that is none', true, { privateKey: 'hello' }, 'id="field-privateKey-problem"'],
  ] as const) {
    it(`refuses ${what}, with the problem at its field`, async () => {
      const visit = await grant(users ? [anna] : [], [alpha], fields)
      expect(visit.status).to.equal(422)
      expect(visit.text).to.include(says)
      expect(await app.permissions.list()).to.deep.equal([])
    })
  }

  it('finds permissions by user, server or login', async () => {
    await app.permissions.grant({ userId: anna, serverId: alpha, remoteUser: 'zeta' }, actor)
    await app.permissions.grant({ userId: bert, serverId: beta }, actor)
    const { text } = await browser.get('/permissions?text=ZET')
    expect(text).to.include('anna on alpha').and.not.include('bert on beta')
    expect((await browser.get('/permissions?text=none')).text).to.include('No permission fits')
  })

  describe('of one', () => {
    let path: string
    let id: number

    beforeEach(async () => {
      const credentials = { password: 'geheim-1' }
      id = (await app.permissions.grant({ userId: anna, serverId: alpha, root: 'x', credentials }, actor)).id
      path = `/permissions/${id}`
    })

    it('change what is said, and empty fields go back to the default', async () => {
      await browser.submit(path, { remoteUser: 'other', access: 'read-only', root: '', endsAt: '' })
      expect(await app.permissions.get(id)).to.include({ remoteUser: 'other', access: 'read-only', root: undefined })
      expect((await app.audit.list())[0]).to.include({ type: 'permission.updated', actorName: 'root' })
    })

    it('show a problem at its field', async () => {
      const visit = await browser.submit(path, { access: 'all', root: '../x' })
      expect(visit.status).to.equal(422)
      expect(visit.text).to.include('id="field-root-problem"').and.include('value="../x"')
    })

    it('replace and forget the login, and never show it', async () => {
      const stored = await browser.submit(`${path}/credentials`, { password: 'geheim-2' }, { from: path })
      expect(stored.text).to.include('The login was stored.').and.not.include('geheim-2')
      expect(await app.permissions.login(id)).to.include({ password: 'geheim-2' })
      await browser.submit(`${path}/credentials`, { forget: 'on' }, { from: path })
      expect((await app.permissions.get(id)).credentials).to.equal('none')
    })

    it('refuse an empty login', async () => {
      const visit = await browser.submit(`${path}/credentials`, { password: '' }, { from: path })
      expect([visit.status, visit.text.includes('id="field-password-problem"')]).to.deep.equal([422, true])
      expect(await app.permissions.login(id)).to.include({ password: 'geheim-1' })
    })

    it('ask before they revoke', async () => {
      expect((await browser.get(`${path}/revoke`)).text).to.include('Take alpha away from anna?')
      expect((await browser.submit(`${path}/revoke`, {})).text).to.include('anna may no longer use alpha.')
      expect(await app.permissions.list()).to.deep.equal([])
    })

    it('are for admins only', async () => {
      const visitor = await BrowserSession.loggedIn(app.url, 'anna')
      for (const page of ['/permissions', '/permissions/new', path, `${path}/revoke`]) {
        expect((await visitor.get(page)).status, page).to.equal(403)
      }
      for (const page of ['/permissions', path, `${path}/credentials`, `${path}/revoke`]) {
        expect((await visitor.submit(page, {}, { from: '/login' })).status, page).to.equal(403)
      }
    })
  })
})
