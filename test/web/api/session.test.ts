import { expect } from 'chai'
import { Secret, TOTP } from 'otpauth'
import { loggedIn } from '../../support/logged-in.js'
import { actor } from '../../support/services.js'
import { ApiFixture, USER } from './api-fixture.js'

describe('logging in with JSON', () => {
  let api: ApiFixture

  beforeEach(async () => {
    api = await ApiFixture.start()
  })
  afterEach(() => api.stop())

  const login = (body: unknown, type?: string) =>
    api.send('POST', '/login', { as: 'nobody', body, ...(type !== undefined && { type }) })
  const me = (token: string) =>
    api.send('GET', '/api/v1/me', { as: 'nobody', headers: { Authorization: `Bearer ${token}` } })
  const tokenFor = async (body: object) => (await login(body)).json as { token: string; expiresAt: string }

  it('gives a token for 15 minutes that may do what the user may', async () => {
    const { token, expiresAt, ...rest } = await tokenFor(USER)
    expect(rest).to.deep.equal({})
    expect(new Date(expiresAt).getTime() - Date.now()).to.be.within(14 * 60_000, 15 * 60_000)
    expect((await me(token)).json).to.have.deep.property('login', {
      via: 'jwt',
      name: null,
      scopes: ['files:read', 'files:write', 'account'],
      servers: null,
    })
  })

  it('is noted in the audit log', async () => {
    await login(USER)
    await api.auth.logins.stop()
    const [event] = await api.services.audit.list()
    expect(event).to.deep.include({ type: 'login.succeeded', actorName: 'anna' })
  })

  it('says the same of a wrong password, an unknown name and a disabled user', async () => {
    const { id } = await api.services.users.create({ username: 'bert', password: USER.password }, actor)
    await api.services.users.setDisabled(id, true, actor)
    const answers = new Set<string>()
    for (const username of ['anna', 'nobody', 'bert', "' OR 1=1 --", '']) {
      const password = username === 'bert' ? USER.password : 'wrong'
      const { status, json, headers } = await login({ username, password })
      expect(headers.get('www-authenticate')).to.equal('Bearer realm="FTPCluster"')
      answers.add(JSON.stringify({ status, ...(json as object), requestId: '' }))
    }
    expect([...answers]).to.have.length(1)
    expect([...answers][0])
      .to.include('"status":401')
      .and.include('WRONG_LOGIN')
  })

  it('is slowed down, then refused with Retry-After, after too many wrong passwords', async () => {
    for (let count = 0; count < 10; count++) await api.auth.throttle.failed('anna', '127.0.0.1')
    const reply = await login({ username: 'anna', password: 'wrong' })
    expect(reply.json).to.include({ status: 429, code: 'TOO_MANY_ATTEMPTS' })
    expect(Number(reply.headers.get('retry-after'))).to.be.greaterThan(0)
  })

  it('asks for the code of a second factor, and takes each once', async () => {
    const { secret } = await api.auth.secondFactor.begin(api.userId, actor)
    const totp = new TOTP({ secret: Secret.fromBase32(secret) })
    const { recoveryCodes } = await api.auth.secondFactor.confirm(api.userId, totp.generate(), actor)
    expect((await login(USER)).json).to.include({ status: 401, code: 'SECOND_FACTOR' })
    expect((await login({ ...USER, code: totp.generate() })).json).to.include({ status: 401, code: 'WRONG_CODE' })
    expect((await login({ ...USER, password: 'wrong', code: recoveryCodes[0] })).json).to.include({
      code: 'WRONG_LOGIN',
    })
    const { token } = await tokenFor({ ...USER, code: recoveryCodes[0] })
    expect((await me(token)).status).to.equal(200)
    expect((await login({ ...USER, code: recoveryCodes[0] })).status).to.equal(401)
  })

  it('is refused while the password has to be changed', async () => {
    await api.services.users.setPassword(api.userId, USER.password + '2', actor, { mustChange: true })
    const reply = await login({ ...USER, password: USER.password + '2' })
    expect(reply.json).to.include({ status: 403, code: 'PASSWORD_CHANGE' })
  })

  it('does not take an app password', async () => {
    const { secret } = await api.auth.appPasswords.create(api.userId, { name: 'drive' }, actor)
    expect((await login({ ...USER, password: secret })).json).to.include({ status: 401, code: 'WRONG_LOGIN' })
  })

  const wrong: [what: string, status: number, body: unknown, type?: string][] = [
    ['a list for the name', 400, { username: ['anna'], password: 'x' }],
    ['an operator for the name', 400, { username: { $ne: '' }, password: 'x' }],
    ['an object for the password', 400, { username: 'anna', password: { toString: 1 } }],
    ['no password', 400, { username: 'anna' }],
    ['nothing', 400, {}],
    ['an unknown field', 400, { ...USER, admin: true }],
    ['a password of 1 MB', 413, { username: 'anna', password: 'x'.repeat(1024 * 1024) }],
    ['a password of 2 KB', 400, { username: 'anna', password: 'x'.repeat(2048) }],
    ['NUL', 400, { username: 'an\0na', password: 'x' }],
    ['__proto__', 400, '{"username":"anna","password":"x","__proto__":{"admin":true}}'],
    ['a form', 415, 'username=anna&password=x', 'application/x-www-form-urlencoded'],
    ['a form with brackets', 415, 'username[$ne]=&password[toString]=1', 'application/x-www-form-urlencoded'],
  ]
  for (const [what, status, body, type] of wrong) {
    it(`answers ${status} to ${what}`, async () => {
      expect((await login(body, type)).status).to.equal(status)
    })
  }

  it('ends with the logout: the token is no good any more, passwords stay', async () => {
    const { token } = await tokenFor(USER)
    const headers = { Authorization: `bearer ${token}` }
    expect((await api.send('GET', '/logout', { as: 'nobody', headers })).status).to.equal(204)
    expect((await me(token)).status).to.equal(401)
    expect((await api.send('GET', '/logout', { as: USER })).status).to.equal(204)
    expect((await api.send('GET', '/api/v1/me', { as: USER })).status).to.equal(200)
  })

  it('ends a session', async () => {
    api.sessionOf(loggedIn({ userId: api.userId, username: 'anna', via: 'session' }))
    expect((await api.send('GET', '/logout', { as: 'nobody' })).status).to.equal(204)
    expect(api.sessionLog).to.deep.equal(['end'])
  })

  it('ends with a changed password, a role or a disabled user', async () => {
    const { token } = await tokenFor(USER)
    await api.services.users.setRole(api.userId, 'admin', actor)
    expect((await me(token)).status).to.equal(401)
  })
})
