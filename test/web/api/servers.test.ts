import { expect } from 'chai'
import { FINGERPRINT, OTHER_FINGERPRINT } from '../../support/services.js'
import { ApiFixture } from './api-fixture.js'

const NEW = { alias: 'archive', protocol: 'sftp', host: 'memory.test', trust: { firstUse: true } }

describe('servers over the API', () => {
  let api: ApiFixture

  beforeEach(async () => {
    api = await ApiFixture.start()
    api.memory.tree.makeDirectory('/docs')
  })
  afterEach(() => api.stop())

  const create = async (changes: object = {}) => {
    const reply = await api.send('POST', '/api/v1/servers', { body: { ...NEW, ...changes } })
    return reply.json as { id: number; status: number; problems?: { field: string }[] }
  }

  it('are registered, listed, found and removed', async () => {
    const { id } = await create({ adminUser: 'root', adminPassword: 'remote password' })
    const reply = await api.send('GET', `/api/v1/servers/${id}`)
    expect(reply.json).to.deep.include({
      alias: 'archive',
      port: 22,
      enabled: true,
      trust: { firstUse: true },
      trustedFingerprints: [],
      adminUser: 'root',
      hasAdminPassword: true,
      limits: { maxConnections: null, maxConnectionsPerAccount: null },
    })
    expect(reply.text).not.to.include('remote password')
    const found = await api.send('GET', '/api/v1/servers?text=ARCH&protocol=sftp&enabled=true&sort=-alias')
    expect(found.json).to.include({ total: 1 })
    expect((await api.send('DELETE', `/api/v1/servers/${id}`)).status).to.equal(204)
    expect((await api.send('GET', '/api/v1/servers')).json).to.include({ total: 1 })
  })

  it('are changed in part, and an enabled flag switches them', async () => {
    const { id } = await create()
    const patch = async (body: object) => (await api.send('PATCH', `/api/v1/servers/${id}`, { body })).json
    expect(await patch({ port: 2222, limits: { maxConnections: 5 } })).to.deep.include({
      port: 2222,
      limits: { maxConnections: 5, maxConnectionsPerAccount: null },
    })
    expect(await patch({ enabled: false })).to.deep.include({ enabled: false, port: 2222 })
    expect(await patch({ limits: { maxConnections: null } })).to.deep.include({ enabled: false })
  })

  it('are set as a whole, and the same again changes nothing; the password stays unless it is named', async () => {
    const { id } = await create({ adminUser: 'root', adminPassword: 'remote password', port: 2222, homes: 'shared' })
    const put = (changes: object = {}) => api.send('PUT', `/api/v1/servers/${id}`, { body: { ...NEW, ...changes } })
    const first = await put()
    expect(first.json).to.include({ port: 22, homes: 'auto', adminUser: null, hasAdminPassword: true })
    const again = await put()
    expect(again.text).to.equal(first.text)
    expect(again.headers.get('etag')).to.equal(first.headers.get('etag'))
    expect((await put({ adminPassword: null })).json).to.include({ hasAdminPassword: false })
    const reply = await put({ trust: undefined })
    expect(reply.json).to.have.nested.property('problems[0].field', 'trust')
  })

  it('are not overwritten by somebody who saw an older state', async () => {
    const { id } = await create()
    const etag = (await api.send('GET', `/api/v1/servers/${id}`)).headers.get('etag') ?? ''
    const headers = { 'If-Match': etag }
    expect((await api.send('PATCH', `/api/v1/servers/${id}`, { body: { port: 1 }, headers })).status).to.equal(200)
    for (const [method, path, body] of [
      ['PATCH', '', { port: 2 }],
      ['PUT', '', NEW],
      ['PUT', '/trust', { firstUse: true }],
      ['DELETE', '', undefined],
    ] as const) {
      expect((await api.send(method, `/api/v1/servers/${id}${path}`, { body, headers })).status).to.equal(412)
    }
    expect((await api.send('GET', `/api/v1/servers/${id}`)).json).to.include({ port: 1 })
  })

  it('have aliases that differ', async () => {
    await create()
    expect((await create({ alias: 'ARCHIVE' })).status).to.equal(409)
  })

  const wrong: [field: string, value: unknown][] = [
    ['port', 0],
    ['port', 65536],
    ['port', '22;id'],
    ['port', 22.5],
    ['host', 'two words'],
    ['host', `${'a'.repeat(60)}.`.repeat(5) + 'a'],
    ['host', 'аpple.com'],
    ['host', '2130706433'],
    ['host', '[::ffff:127.0.0.1]'],
    ['host', '127.1'],
    ['host', 'fe80::1%eth0'],
    ['host', 'a\r\nb'],
    ['host', ''],
    ['alias', '../etc'],
    ['alias', '<script>'],
    ['adminUser', 'root\r\nDELE x'],
    ['adminPassword', 'a\nb'],
    ['adminPassword', 'x'.repeat(10_240)],
    ['adminPassword', ''],
    ['version', 2],
    ['aliasKey', 'x'],
    ['id', 1],
  ]
  for (const [field, value] of wrong) {
    it(`are refused with ${field} ${JSON.stringify(value).slice(0, 40)}`, async () => {
      const { status, problems } = await create({ [field]: value })
      expect(status).to.equal(400)
      expect(problems?.map((problem) => problem.field)).to.include(field)
      expect(await api.services.servers.list()).to.have.length(1)
    })
  }

  it('keep an admin password exactly as it is', async () => {
    const { id } = await create({ adminUser: ' root ', adminPassword: '  PASS x ' })
    expect(await api.services.servers.adminLogin(id)).to.deep.equal({ username: ' root ', password: '  PASS x ' })
  })

  describe('under test', () => {
    const test = async (id: number, body?: object) => {
      const reply = await api.send('POST', `/api/v1/servers/${id}/test`, body ? { body } : {})
      return reply.json as {
        ok: boolean
        status?: number
        phases: { name: string; ok: boolean; code?: string; milliseconds: number }[]
        recorded: boolean
        loginTried: boolean
      }
    }

    it('tell the phase that failed, with a code and no words of the server', async () => {
      const result = await test(api.serverId)
      expect(result).to.include({ ok: false, recorded: false, loginTried: false })
      expect(result.phases).to.have.length(1)
      expect(result.phases[0]).to.include({ name: 'connect', ok: false, code: 'UNREACHABLE' })
    })

    it('go through every phase, and record the fingerprint of a first use', async () => {
      api.reachable = true
      const { id } = await create({ adminUser: 'root', adminPassword: 'remote password' })
      const result = await test(id)
      expect(result.phases.map(({ name, ok }) => `${name} ${ok}`)).to.deep.equal([
        'connect true',
        'trust true',
        'login true',
        'list true',
      ])
      expect(result.phases.every(({ milliseconds }) => milliseconds >= 0)).to.equal(true)
      expect(result).to.include({ ok: true, recorded: true })
      const server = await api.send('GET', `/api/v1/servers/${id}`)
      expect(server.json).to.deep.include({ trust: { firstUse: true }, trustedFingerprints: [FINGERPRINT] })
      expect(await test(id)).to.include({ ok: true, recorded: false })
    })

    it('use the login of a permission, on this server only', async () => {
      api.reachable = true
      expect(await test(api.serverId, { permissionId: api.permissionId })).to.include({ ok: true, loginTried: true })
      const { id } = await create()
      expect(await test(id, { permissionId: api.permissionId })).to.include({ status: 400 })
    })

    it('show their fingerprint, and are trusted by it', async () => {
      const scan = async () => (await api.send('POST', `/api/v1/servers/${api.serverId}/scan`)).json
      expect(await scan()).to.deep.equal({
        fingerprint: FINGERPRINT,
        trusted: true,
        trustedFingerprints: [FINGERPRINT],
      })
      const path = `/api/v1/servers/${api.serverId}/trust`
      const reply = await api.send('PUT', path, { body: { fingerprint: [OTHER_FINGERPRINT] } })
      expect(reply.json).to.deep.include({ trustedFingerprints: [OTHER_FINGERPRINT] })
      expect(await scan()).to.include({ fingerprint: FINGERPRINT, trusted: false })
      expect((await api.send('PUT', path, { body: { fingerprint: 'SHA256:short' } })).status).to.equal(400)
    })

    it('answer 502 when they cannot be reached for their fingerprint', async () => {
      const { id } = await create({ host: 'nobody.test' })
      const reply = await api.send('POST', `/api/v1/servers/${id}/scan`)
      expect(reply.json).to.include({ status: 502, code: 'UNREACHABLE' })
    })
  })

  it('never show the admin password, in no answer and no log line', async () => {
    const secret = 'canary-4711'
    const { id } = await create({ adminUser: 'root', adminPassword: secret })
    const texts: string[] = []
    for (const [method, path] of [
      ['GET', ''],
      ['POST', '/test'],
      ['POST', '/scan'],
    ] as const) {
      texts.push((await api.send(method, `/api/v1/servers/${id}${path}`)).text)
    }
    texts.push((await api.send('GET', '/api/v1/servers')).text, JSON.stringify(await api.services.audit.list()))
    expect(texts.join() + api.log.join()).not.to.include(secret)
  })
})
