import { expect } from 'chai'
import { ConflictError, ValidationError } from '../../src/errors.js'
import { SecretError } from '../../src/db/secret-cipher.js'
import type { NewServer } from '../../src/servers/server-input.js'
import { actor, FINGERPRINT, openTestServices, OTHER_FINGERPRINT, rejectionOf } from '../support/services.js'
import type { TestServices } from '../support/services.js'

const sftp: NewServer = {
  alias: 'server2',
  protocol: 'sftp',
  host: 'files.example.com',
  trust: { fingerprint: FINGERPRINT },
}

describe('ServerService', () => {
  let services: TestServices

  beforeEach(async () => (services = await openTestServices()))
  afterEach(() => services.close())

  const add = (changes: object = {}) => services.servers.create({ ...sftp, ...changes }, actor)

  async function problemFields(work: Promise<unknown>): Promise<string[]> {
    const error = await rejectionOf(work)
    expect(error).to.be.instanceOf(ValidationError)
    return (error as ValidationError).problems.map(({ field }) => field)
  }

  it('registers a server with the defaults of its protocol, and keeps its password to itself', async () => {
    const server = await add({ adminUser: 'root', adminPassword: ' geheim ' })
    expect(server).to.include({ port: 22, encoding: 'utf8', homes: 'auto', upload: 'auto', enabled: true, version: 1 })
    expect(server.limits).to.deep.equal({})
    expect(JSON.stringify(await services.servers.list())).to.not.include('geheim')
    expect(await services.servers.adminLogin(server.id)).to.deep.equal({ username: 'root', password: ' geheim ' })
    expect(JSON.stringify(await services.audit.list())).to.not.include('geheim')
    expect(JSON.stringify(await services.database.models.Server.findAll())).to.not.include('geheim')
  })

  const bad: [string, object, string][] = [
    ['the loopback as one number', { host: '2130706433' }, 'host'],
    ['an octal address', { host: '0177.0.0.1' }, 'host'],
    ['a hexadecimal address', { host: '0x7f.1' }, 'host'],
    ['a short address', { host: '127.1' }, 'host'],
    ['an IPv4 address in IPv6 clothes', { host: '::ffff:127.0.0.1' }, 'host'],
    ['an address with a zone', { host: 'fe80::1%eth0' }, 'host'],
    ['a host with a blank', { host: 'a b' }, 'host'],
    ['a host with a port', { host: 'a:22' }, 'host'],
    ['a URL as host', { host: 'sftp://a' }, 'host'],
    ['a host of 300 characters', { host: 'a.'.repeat(150) + 'b' }, 'host'],
    ['an international host name', { host: 'еxample.com' }, 'host'],
    ['an empty host', { host: '' }, 'host'],
    ['port 0', { port: 0 }, 'port'],
    ['port 65536', { port: 65536 }, 'port'],
    ['a port as text', { port: '22;id' }, 'port'],
    ['an alias with a slash', { alias: 'a/b' }, 'alias'],
    ['an alias that Windows cannot show', { alias: 'a:b' }, 'alias'],
    ['an alias with a trailing dot', { alias: 'a.' }, 'alias'],
    ['two dots as alias', { alias: '..' }, 'alias'],
    ['an alias with a leading blank', { alias: ' a' }, 'alias'],
    ['an alias with a control character', { alias: 'a\u0085b' }, 'alias'],
    ['an alias of 65 characters', { alias: 'a'.repeat(65) }, 'alias'],
    ['no trust', { trust: undefined }, 'trust'],
    ['two kinds of trust', { trust: { firstUse: true, fingerprint: FINGERPRINT } }, 'trust'],
    ['a fingerprint that is none', { trust: { fingerprint: 'MD5:aa' } }, 'trust.fingerprint'],
    ['public CAs for sftp', { trust: { publicCa: true } }, 'trust.publicCa'],
    ['trust for plain ftp', { protocol: 'ftp' }, 'trust'],
    ['latin1 for sftp', { encoding: 'latin1' }, 'encoding'],
    ['a login with a line break', { adminUser: 'a\r\nDELE x' }, 'adminUser'],
    ['a password with NUL', { adminPassword: 'a\0' }, 'adminPassword'],
    ['an empty password', { adminPassword: '' }, 'adminPassword'],
    ['a password of 10 KB', { adminPassword: 'a'.repeat(10_240) }, 'adminPassword'],
    [
      'more connections per account than in all',
      { limits: { maxConnections: 2, maxConnectionsPerAccount: 3 } },
      'limits.maxConnectionsPerAccount',
    ],
    ['a field that there is not', { hots: 'x' }, 'hots'],
  ]
  for (const [title, changes, field] of bad) {
    it(`refuses ${title}, and names the field`, async () => {
      expect(await problemFields(add(changes))).to.deep.equal([field])
      expect(await services.servers.list()).to.deep.equal([])
    })
  }

  for (const host of ['localhost', '192.0.2.7', '2001:db8::7', 'xn--bcher-kva.example', 'a_b.example', 'x1']) {
    it(`takes ${host} as a host`, async () => {
      expect((await add({ host })).host).to.equal(host)
    })
  }

  it('takes names and passwords exactly as they are', async () => {
    const { id } = await add({ adminUser: ' a ', adminPassword: 'PASS x ü' })
    expect(await services.servers.adminLogin(id)).to.deep.equal({ username: ' a ', password: 'PASS x ü' })
  })

  it('takes the fingerprint of a certificate as openssl prints it', async () => {
    const hex = Array.from({ length: 32 }, () => '00').join(':')
    const trust = { fingerprint: [`sha256 Fingerprint=${hex}`, FINGERPRINT + '='] }
    const server = await add({ protocol: 'ftps', trust })
    expect(server.trust).to.deep.equal({ kind: 'pinned', fingerprints: [FINGERPRINT, FINGERPRINT], firstUse: false })
  })

  it('refuses an alias that differs only by case or normal form', async () => {
    await add({ alias: 'Bücher' })
    for (const alias of ['BÜCHER', 'bu\u0308cher'])
      expect(await rejectionOf(add({ alias }))).to.be.instanceOf(ConflictError)
    expect((await services.servers.find('bücher'))?.alias).to.equal('Bücher')
  })

  it('changes what is given, tells what that was, and raises the version when connections must end', async () => {
    const { id } = await add({ adminPassword: 'geheim' })
    const same = await services.servers.update(id, { ...sftp, adminPassword: 'geheim' }, actor)
    expect(same.changed).to.deep.equal([])
    const renamed = await services.servers.update(id, { alias: 'Server2', limits: { maxConnections: 9 } }, actor)
    expect([renamed.changed, renamed.server.version]).to.deep.equal([['alias', 'limits.maxConnections'], 1])
    const moved = await services.servers.update(id, { host: 'other.example.com', adminPassword: 'neu' }, actor)
    expect([moved.changed, moved.server.version]).to.deep.equal([['host', 'adminPassword'], 2])
    expect((await services.audit.list()).map(({ details }) => details['fields']).slice(0, 2)).to.deep.equal([
      ['host', 'adminPassword'],
      ['alias', 'limits.maxConnections'],
    ])
    const cleared = await services.servers.update(id, { adminPassword: null, limits: { maxConnections: null } }, actor)
    expect([cleared.server.hasAdminPassword, cleared.server.limits]).to.deep.equal([false, {}])
  })

  it('records the first fingerprint once, and keeps it until the server moves', async () => {
    const { id } = await add({ trust: { firstUse: true } })
    expect(await services.servers.pinFirstUse(id, FINGERPRINT, actor)).to.equal(true)
    expect(await services.servers.pinFirstUse(id, OTHER_FINGERPRINT, actor)).to.equal(false)
    const pinned = { kind: 'pinned', fingerprints: [FINGERPRINT], firstUse: true }
    const said = await services.servers.update(id, { trust: { firstUse: true } }, actor)
    expect([said.changed, said.server.trust]).to.deep.equal([[], pinned])
    const moved = await services.servers.update(id, { port: 2222, trust: { firstUse: true } }, actor)
    expect([moved.changed, moved.server.trust]).to.deep.equal([['port', 'trust'], { kind: 'first-use' }])
    await services.servers.setTrust(id, { fingerprint: OTHER_FINGERPRINT }, actor)
    expect(await services.servers.pinFirstUse(id, FINGERPRINT, actor)).to.equal(false)
  })

  it('cannot read a password that was copied from another row, and can replace it', async () => {
    const first = await add({ adminUser: 'a', adminPassword: 'geheim-1' })
    const second = await add({ alias: 'other', adminUser: 'a', adminPassword: 'geheim-2' })
    const { Server } = services.database.models
    const [row] = await Server.findAll({ where: { id: first.id } })
    await Server.update({ adminPass: row?.adminPass ?? null }, { where: { id: second.id } })
    const error = await rejectionOf(services.servers.adminLogin(second.id))
    expect(error).to.be.instanceOf(SecretError)
    expect(error.message).to.not.include('geheim')
    await services.servers.update(second.id, { adminPassword: 'geheim-3' }, actor)
    expect((await services.servers.adminLogin(second.id))?.password).to.equal('geheim-3')
  })
})
