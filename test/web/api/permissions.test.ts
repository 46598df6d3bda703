import { expect } from 'chai'
import { ApiFixture } from './api-fixture.js'

const SECRET = 'canary-0815'

describe('permissions over the API', () => {
  let api: ApiFixture

  beforeEach(async () => {
    api = await ApiFixture.start()
  })
  afterEach(() => api.stop())

  const grant = (body: object) => api.send('POST', '/api/v1/permissions', { body })
  const path = () => `/api/v1/permissions/${api.permissionId}`

  it('are granted, listed by user and by server, and revoked', async () => {
    const body = { userId: api.adminId, serverId: api.serverId, root: 'projects', endsAt: '2090-12-31' }
    const reply = await grant({ ...body, credentials: { password: SECRET } })
    expect(reply.status).to.equal(201)
    expect(reply.json).to.include({
      username: 'root',
      alias: 's2',
      remoteUser: 'root',
      remoteUserGiven: false,
      credentials: 'password',
      access: 'read-write',
      root: 'projects',
      endsAt: '2090-12-31T23:59:59.999Z',
      selfService: false,
    })
    const total = async (query: string) =>
      ((await api.send('GET', `/api/v1/permissions?${query}`)).json as { total: number }).total
    expect(await total(`userId=${api.adminId}`)).to.equal(1)
    expect(await total(`serverId=${api.serverId}`)).to.equal(2)
    expect(await total('access=read-only')).to.equal(0)
    expect((await api.send('DELETE', reply.headers.get('location') ?? '')).status).to.equal(204)
    expect(await total(`userId=${api.adminId}`)).to.equal(0)
  })

  it('are granted once, and to whom and what is there', async () => {
    expect((await grant({ userId: api.userId, serverId: api.serverId })).status).to.equal(409)
    expect((await grant({ userId: 999, serverId: api.serverId })).status).to.equal(404)
    expect((await grant({ userId: api.adminId, serverId: 999 })).status).to.equal(404)
  })

  it('are granted several at once, all or none', async () => {
    const { id } = await api.services.users.create(
      { username: 'bert', password: 'long enough' },
      { kind: 'system', part: 't' },
    )
    const several = (permissions: object[]) => api.send('POST', '/api/v1/permissions/batch', { body: { permissions } })
    const right = [{ userId: api.adminId, serverId: api.serverId }]
    const conflict = await several([...right, { userId: api.userId, serverId: api.serverId }])
    expect(conflict.json).to.include({ status: 409 })
    expect((conflict.json as { detail: string }).detail).to.match(/^permissions\[1\]: /)
    const wrong = await several([...right, { userId: id, serverId: api.serverId, root: '../x' }])
    expect(wrong.json).to.have.nested.property('problems[0].field', 'permissions[1].root')
    expect((await several([])).status).to.equal(400)
    expect(await api.services.permissions.list()).to.have.length(1)
    expect((await several([...right, { userId: id, serverId: api.serverId }])).status).to.equal(200)
    expect(await api.services.permissions.list()).to.have.length(3)
  })

  it('are changed in part and as a whole', async () => {
    const patched = await api.send('PATCH', path(), {
      body: { access: 'read-only', remoteUser: 'ann', selfService: true },
    })
    expect(patched.json).to.include({ access: 'read-only', remoteUser: 'ann', selfService: true })
    const put = () => api.send('PUT', path(), { body: { root: 'projects' } })
    const first = await put()
    expect(first.json).to.include({ access: 'read-write', remoteUser: 'anna', root: 'projects', selfService: false })
    expect((await put()).text).to.equal(first.text)
  })

  it('are not overwritten by somebody who saw an older state', async () => {
    const headers = { 'If-Match': (await api.send('GET', path())).headers.get('etag') ?? '' }
    const credentials = { password: 'another one' }
    expect((await api.send('PUT', `${path()}/credentials`, { body: credentials, headers })).status).to.equal(200)
    for (const [method, body] of [
      ['PATCH', { access: 'read-only' }],
      ['PUT', {}],
      ['DELETE', undefined],
    ] as const) {
      expect((await api.send(method, path(), { body, headers })).status).to.equal(412)
    }
  })

  it('keep credentials exactly as they are, and show them nowhere', async () => {
    for (const password of ['  leading and trailing  ', 'PASS x', SECRET]) {
      const reply = await api.send('PUT', `${path()}/credentials`, { body: { password } })
      expect(reply.json).to.include({ credentials: 'password' })
      expect((await api.services.permissions.login(api.permissionId)).password).to.equal(password)
    }
    const texts = [await api.send('GET', path()), await api.send('GET', '/api/v1/permissions')].map(({ text }) => text)
    expect(texts.join() + api.log.join() + JSON.stringify(await api.services.audit.list())).not.to.include(SECRET)
    expect((await api.send('PUT', `${path()}/credentials`, { body: {} })).json).to.include({ credentials: 'none' })
  })

  const wrong: [what: string, body: object][] = [
    ['a line break', { password: 'a\r\nDELE x' }],
    ['NUL', { password: 'a\0b' }],
    ['10 KB', { password: 'x'.repeat(10_240) }],
    ['nothing in it', { password: '' }],
    ['an unknown field', { password: 'x', userPass: 'y' }],
    ['password and key', { password: 'x', privateKey: '-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----' }],
  ]
  for (const [what, body] of wrong) {
    it(`refuse credentials with ${what}, and keep the old ones`, async () => {
      expect((await api.send('PUT', `${path()}/credentials`, { body })).status).to.equal(400)
      expect((await api.services.permissions.login(api.permissionId)).password).to.equal('remote password')
    })
  }

  it('take no field that is not theirs to say', async () => {
    for (const extra of [
      { id: 1 },
      { userId: 1 },
      { secretVersion: 9 },
      { userPass: 'x' },
      { createdAt: '2020-01-01' },
    ]) {
      expect((await api.send('PATCH', path(), { body: extra })).status).to.equal(400)
    }
  })

  it('are granted at /permissions too, for who wants JSON', async () => {
    const body = { userId: api.adminId, serverId: api.serverId }
    expect((await api.send('POST', '/permissions', { body })).status).to.equal(201)
    const form = await api.send('POST', '/permissions', {
      body: 'userId=1',
      type: 'application/x-www-form-urlencoded',
      headers: { Accept: 'text/html' },
    })
    expect(form.status).to.equal(404)
  })
})
