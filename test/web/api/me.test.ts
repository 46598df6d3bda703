import { expect } from 'chai'
import { Secret, TOTP } from 'otpauth'
import { keyOf } from '../../../src/auth/sessions.js'
import { loggedIn } from '../../support/logged-in.js'
import { ApiFixture, USER } from './api-fixture.js'

const CSRF = { 'X-CSRF-Token': 'right' }

const totpCode = (secret: string) => new TOTP({ secret: Secret.fromBase32(secret) }).generate()

describe('the own account over the API', () => {
  let api: ApiFixture

  beforeEach(async () => {
    api = await ApiFixture.start()
  })
  afterEach(() => api.stop())

  const send = (method: string, path: string, body?: unknown, as: typeof USER | 'nobody' = USER) =>
    api.send(method, `/api/v1/me${path}`, { as, ...(body !== undefined && { body }) })

  it('tells who one is, and what this login may do', async () => {
    expect((await send('GET', '')).json).to.deep.include({ username: 'anna', role: 'user', hasSecondFactor: false })
    const { secret } = (
      await send('POST', '/app-passwords', { name: 'drive', servers: [api.serverId], readOnly: true })
    ).json as { secret: string }
    const reply = await send('GET', '', undefined, { ...USER, password: secret })
    expect(reply.json).to.have.deep.property('login', {
      via: 'app-password',
      name: 'drive',
      scopes: ['files:read'],
      servers: [api.serverId],
    })
  })

  describe('password', () => {
    const next = 'another long one'

    it('is changed with the old one only', async () => {
      const change = (currentPassword: string, password = next) =>
        send('PUT', '/password', { currentPassword, password })
      expect((await change('wrong')).json).to.have.nested.property('problems[0].field', 'currentPassword')
      expect((await change(USER.password, 'short')).json).to.have.nested.property('problems[0].field', 'password')
      expect((await change(USER.password, USER.password)).json).to.have.nested.property('problems[0].field', 'password')
      expect((await change(USER.password)).status).to.equal(204)
      expect((await send('GET', '')).status).to.equal(401)
      expect((await send('GET', '', undefined, { ...USER, password: next })).status).to.equal(200)
    })

    it('is not that of somebody else', async () => {
      await api.services.users.setPassword(api.adminId, 'of the admin', { kind: 'system', part: 'test' })
      const reply = await send('PUT', '/password', { currentPassword: 'of the admin', password: next })
      expect(reply.status).to.equal(400)
    })

    it('goes on in the session that changed it', async () => {
      api.sessionOf(loggedIn({ userId: api.userId, username: 'anna', via: 'session' }), { mustChangePassword: true })
      const body = { currentPassword: USER.password, password: next }
      const reply = await api.send('PUT', '/api/v1/me/password', { as: 'nobody', headers: CSRF, body })
      expect(reply.status).to.equal(204)
      expect(api.sessionLog).to.deep.equal(['renew 2'])
    })
  })

  describe('second factor', () => {
    const begin = async () =>
      (await send('POST', '/second-factor', { currentPassword: USER.password })).json as { secret: string; uri: string }

    const enable = async (): Promise<{ secret: string; recoveryCodes: string[] }> => {
      const { secret } = await begin()
      const { recoveryCodes } = (await send('POST', '/second-factor/confirm', { code: totpCode(secret) })).json as {
        recoveryCodes: string[]
      }
      return { secret, recoveryCodes }
    }

    it('needs the password and a code', async () => {
      expect((await send('POST', '/second-factor', { currentPassword: 'wrong' })).status).to.equal(400)
      const { uri } = await begin()
      expect(uri).to.match(/^otpauth:\/\/totp\//)
      expect((await send('POST', '/second-factor/confirm', { code: '000000' })).json).to.have.nested.property(
        'problems[0].field',
        'code',
      )
      expect((await send('GET', '/second-factor')).json).to.deep.equal({ active: false, recoveryCodesLeft: 0 })
    })

    it('shuts the door for the password, and opens it to app passwords and tokens', async () => {
      const { secret: token } = (await send('POST', '/api-tokens', { name: 'script', scopes: ['files:read'] }))
        .json as {
        secret: string
      }
      const { recoveryCodes } = await enable()
      expect(recoveryCodes).to.have.length(10)
      const reply = await send('GET', '')
      expect(reply.json).to.include({ status: 401, code: 'SECOND_FACTOR' })
      const bearer = { as: 'nobody', headers: { Authorization: `Bearer ${token}` } } as const
      expect((await api.send('GET', '/api/v1/me', bearer)).status).to.equal(200)
    })

    it('is switched off with password and code, and lets recovery codes be renewed', async () => {
      const { recoveryCodes } = await enable()
      const user = loggedIn({ userId: api.userId, username: 'anna', via: 'session', authVersion: 2 })
      api.sessionOf(user)
      const post = (path: string, body: object) =>
        api.send('POST', `/api/v1/me/second-factor${path}`, { as: 'nobody', headers: CSRF, body })
      const currentPassword = USER.password
      expect((await post('/disable', { currentPassword, code: 'wrong' })).status).to.equal(400)
      const renewed = await post('/recovery-codes', { currentPassword, code: recoveryCodes[0] })
      const { recoveryCodes: fresh } = renewed.json as { recoveryCodes: string[] }
      expect(fresh).to.have.length(10).and.not.include(recoveryCodes[1])
      expect((await post('/disable', { currentPassword, code: recoveryCodes[1] })).status).to.equal(400)
      expect((await post('/disable', { currentPassword: 'wrong', code: fresh[0] })).status).to.equal(400)
      expect((await post('/disable', { currentPassword, code: fresh[0] })).status).to.equal(204)
      expect(api.sessionLog).to.deep.equal(['renew 3'])
      expect((await send('GET', '/second-factor')).json).to.include({ active: false })
    })

    it('is reset by an admin', async () => {
      await enable()
      expect((await api.send('DELETE', `/api/v1/users/${api.userId}/second-factor`)).status).to.equal(204)
      expect((await send('GET', '/second-factor')).json).to.include({ active: false })
    })
  })

  for (const [path, body, name] of [
    ['/app-passwords', { name: 'drive', expiresAt: '2090-12-31' }, 'appPassword'],
    ['/api-tokens', { name: 'script', scopes: ['files:read'] }, 'token'],
  ] as const) {
    describe(path, () => {
      it('are made, shown once, and revoked', async () => {
        const made = await send('POST', path, body)
        expect(made.status).to.equal(201)
        const { secret, [name]: shown } = made.json as { secret: string } & Record<string, object>
        expect(secret.length).to.be.greaterThan(30)
        const list = await send('GET', path)
        expect(list.json).to.deep.equal({ items: [shown] })
        expect(list.text).not.to.include(secret.slice(-20))
        const place = made.headers.get('location')?.replace('/api/v1/me', '') ?? ''
        expect((await send('DELETE', place, undefined, { username: 'root', password: USER.password })).status).to.equal(
          404,
        )
        expect((await send('DELETE', place)).status).to.equal(204)
        expect((await send('GET', path)).json).to.deep.equal({ items: [] })
      })

      it('take nothing that is not theirs to say', async () => {
        for (const extra of [
          { prefix: 'x' },
          { secretHash: 'x' },
          { userId: 1 },
          { servers: [999] },
          { scopes: ['account'] },
        ]) {
          expect((await send('POST', path, { ...body, ...extra })).status, JSON.stringify(extra)).to.equal(400)
        }
        expect((await send('POST', path, { ...body, expiresAt: '2001-01-01' })).status).to.equal(400)
      })
    })
  }

  it('gives tokens for admins to admins only', async () => {
    const body = { name: 'script', scopes: ['admin:read'] }
    expect((await send('POST', '/api-tokens', body)).status).to.equal(400)
    const admin = { username: 'root', password: USER.password }
    const { secret } = (await send('POST', '/api-tokens', body, admin)).json as { secret: string }
    const get = (method: string) =>
      api.send(method, `/api/v1/users/${api.userId}`, { as: 'nobody', headers: { Authorization: `Bearer ${secret}` } })
    expect((await get('GET')).status).to.equal(200)
    expect((await get('DELETE')).status).to.equal(403)
  })

  it('lists its sessions, and ends one or all others', async () => {
    const save = (id: string, userId = api.userId) =>
      api.auth.sessions.save(id, {
        ...{ userId, data: '{}', address: '127.0.0.1', userAgent: 'Test' },
        expiresAt: new Date(Date.now() + 60_000),
      })
    for (const id of ['session id', 'second', 'third']) await save(id)
    await save('of the admin', api.adminId)
    api.sessionOf(loggedIn({ userId: api.userId, username: 'anna', via: 'session' }))
    const ask = (method: string, path: string) =>
      api.send(method, `/api/v1/me/sessions${path}`, { as: 'nobody', headers: CSRF })
    const { items } = (await ask('GET', '')).json as { items: { key: string; current: boolean }[] }
    expect(items).to.have.length(3)
    expect(items.filter(({ current }) => current).map(({ key }) => key)).to.deep.equal([keyOf('session id')])
    expect((await ask('DELETE', `/${keyOf('of the admin')}`)).status).to.equal(404)
    expect((await ask('DELETE', `/${keyOf('second')}`)).status).to.equal(204)
    expect((await ask('DELETE', '')).json).to.deep.equal({ ended: 1 })
    expect(await api.auth.sessions.load('session id')).not.to.equal(undefined)
    expect(await api.auth.sessions.load('of the admin')).not.to.equal(undefined)
  })

  it('lists its servers, and those only that can be reached', async () => {
    const list = async () => ((await send('GET', '/servers')).json as { items: { alias: string }[] }).items
    expect(await list()).to.deep.equal([
      {
        ...{ serverId: api.serverId, alias: 's2', protocol: 'sftp', access: 'read-write', remoteUser: 'anna' },
        ...{ credentials: 'password', selfService: false, endsAt: null },
      },
    ])
    const by = { kind: 'system', part: 'test' } as const
    await api.services.permissions.update(api.permissionId, { endsAt: '2001-01-01' }, by)
    expect(await list()).to.deep.equal([])
    await api.services.permissions.update(api.permissionId, { endsAt: null }, by)
    await api.services.servers.setEnabled(api.serverId, false, by)
    expect(await list()).to.deep.equal([])
  })

  it('sets the own remote password where the permission lets it', async () => {
    const set = (serverId = api.serverId) => send('PUT', `/servers/${serverId}/credentials`, { password: 'my own' })
    expect((await set()).status).to.equal(409)
    await api.services.permissions.update(api.permissionId, { selfService: true }, { kind: 'system', part: 'test' })
    expect((await set()).status).to.equal(204)
    expect((await api.services.permissions.login(api.permissionId)).password).to.equal('my own')
    expect((await set(999)).status).to.equal(404)
  })
})
