import { expect } from 'chai'
import { expectAdminsOnly } from '../../../support/admins-only.js'
import { actor } from '../../../support/services.js'
import { startPermissionsApp, type PermissionsApp } from './permissions-app.js'

describe('granting', () => {
  let app: PermissionsApp

  beforeEach(async () => {
    app = await startPermissionsApp()
  })
  afterEach(() => app.close())

  it('offers what is missing, from the user and from the server side', async () => {
    await app.permissions.grant({ userId: app.anna, serverId: app.alpha }, actor)
    const ofUser = (await app.browser.get(`/permissions/new?user=${app.anna}`)).text
    expect(ofUser)
      .to.match(new RegExp(`id="user-${app.anna}" checked`))
      .and.match(new RegExp(`id="server-${app.alpha}" disabled`))
    const ofServer = (await app.browser.get(`/permissions/new?server=${app.alpha}`)).text
    expect(ofServer)
      .to.match(new RegExp(`id="server-${app.alpha}" checked`))
      .and.match(new RegExp(`id="user-${app.anna}" disabled`))
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
    const visit = await app.grant([app.anna], [app.alpha], fields)
    const permission = await app.permissions.find(app.anna, app.alpha)
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
    expect((await app.grant([app.anna, app.bert], [app.alpha, app.beta])).text).to.include(
      '4 permissions were granted.',
    )
    expect(await app.permissions.list()).to.have.length(4)
  })

  it('grants none of several when one exists', async () => {
    await app.permissions.grant({ userId: app.bert, serverId: app.beta }, actor)
    const visit = await app.grant([app.anna, app.bert], [app.alpha, app.beta])
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
      const visit = await app.grant(users ? [app.anna] : [], [app.alpha], fields)
      expect(visit.status).to.equal(422)
      expect(visit.text).to.include(says)
      expect(await app.permissions.list()).to.deep.equal([])
    })
  }

  it('is for admins only', async () => {
    await expectAdminsOnly(app.url, 'anna', { pages: ['/permissions/new'], forms: ['/permissions'] })
  })
})
