import { expect } from 'chai'
import { ConflictError, UnknownObjectError, ValidationError } from '../../src/errors.js'
import { actor, audited, FINGERPRINT, openTestServices, rejectionOf, type TestServices } from '../support/services.js'

const KEY = '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n'

describe('PermissionService', () => {
  let services: TestServices
  let ids: { userId: number; serverId: number }

  beforeEach(async () => {
    services = await openTestServices()
    const user = await services.users.create({ username: 'user1', password: 'password-1' }, actor)
    const trust = { fingerprint: FINGERPRINT }
    const server = await services.servers.create({ alias: 's', protocol: 'sftp', host: 'h', trust }, actor)
    ids = { userId: user.id, serverId: server.id }
  })
  afterEach(() => services.close())

  const grant = (changes: object = {}) => services.permissions.grant({ ...ids, ...changes }, actor)

  it('defaults to the username, read-write and where the login lands', async () => {
    const permission = await grant({ credentials: { password: ' geheim ' } })
    expect(permission).to.include({
      username: 'user1',
      alias: 's',
      remoteUser: 'user1',
      credentials: 'password',
      access: 'read-write',
      root: undefined,
    })
    const shown = [await services.permissions.list(), await services.audit.list()]
    expect(JSON.stringify(shown)).to.not.include('geheim')
    expect((await services.permissions.login(permission.id)).password).to.equal(' geheim ')
  })

  const bad: [string, object, string][] = [
    ['a login with a line break', { remoteUser: 'a\r\nDELE x' }, 'remoteUser'],
    ['an empty login', { remoteUser: '' }, 'remoteUser'],
    ['a password with NUL', { credentials: { password: 'a\0' } }, 'credentials.password'],
    ['a password and a key', { credentials: { password: 'a', privateKey: KEY } }, 'credentials.privateKey'],
    ['a passphrase without a key', { credentials: { passphrase: 'a' } }, 'credentials.passphrase'],
    ['a public key', { credentials: { privateKey: 'ssh-ed25519 AAAA' } }, 'credentials.privateKey'],
    ['a root that climbs', { root: 'a/../../b' }, 'root'],
    ['a root with a control character', { root: 'a\nb' }, 'root'],
    ['an unknown access', { access: 'write' }, 'access'],
    ['a day that there is not', { endsAt: '2027-02-30' }, 'endsAt'],
  ]
  for (const [title, changes, field] of bad) {
    it(`refuses ${title}, and names the field`, async () => {
      const error = await rejectionOf(grant(changes))
      expect(error).to.be.instanceOf(ValidationError)
      expect((error as ValidationError).problems.map((problem) => problem.field)).to.deep.equal([field])
    })
  }

  it('refuses a key for a server that takes none', async () => {
    const ftp = await services.servers.create({ alias: 'f', protocol: 'ftp', host: 'h' }, actor)
    const error = await rejectionOf(grant({ serverId: ftp.id, credentials: { privateKey: KEY } }))
    expect(error).to.be.instanceOf(ValidationError)
  })

  it('refuses a second permission of one user on one server', async () => {
    await grant()
    expect(await rejectionOf(grant())).to.be.instanceOf(ConflictError)
  })

  it('changes what is given and tells what really changed', async () => {
    const { id } = await grant({ root: 'a', endsAt: '2027-01-31' })
    const first = await services.permissions.update(id, { root: 'a', access: 'read-only', endsAt: '2027-01-31' }, actor)
    expect(first.changed).to.deep.equal(['access'])
    expect(first.permission.endsAt?.toISOString()).to.equal('2027-01-31T23:59:59.999Z')
    const second = await services.permissions.update(id, { root: null, endsAt: null, remoteUser: 'u' }, actor)
    expect(second.changed).to.have.members(['root', 'endsAt', 'remoteUser'])
    expect(second.permission).to.include({ root: undefined, endsAt: undefined, remoteUser: 'u' })
  })

  it('replaces credentials as a whole, and raises their version also for the same ones', async () => {
    const { id, secretVersion } = await grant({ credentials: { password: 'p' } })
    await services.permissions.setCredentials(id, { privateKey: KEY, passphrase: 'x' }, actor)
    expect(await services.permissions.login(id)).to.deep.equal({
      username: 'user1',
      password: undefined,
      privateKey: KEY,
      passphrase: 'x',
    })
    const again = await services.permissions.setCredentials(id, { privateKey: KEY, passphrase: 'x' }, actor)
    expect(again.secretVersion).to.equal(secretVersion + 2)
    expect(await services.permissions.hasCredentials(id, { privateKey: KEY, passphrase: 'x' })).to.equal(true)
    expect(await services.permissions.hasCredentials(id, { privateKey: KEY })).to.equal(false)
  })

  it('goes with its user and with its server', async () => {
    await grant()
    await services.users.remove(ids.userId, actor)
    expect(await services.permissions.list()).to.deep.equal([])
  })

  describe('whose user may enter the own password', () => {
    it('is one of which that was said', async () => {
      const permission = await grant()
      expect(permission.selfService).to.equal(false)
      const { changed } = await services.permissions.update(permission.id, { selfService: true }, actor)
      expect(changed).to.deep.equal(['selfService'])
      expect((await services.permissions.get(permission.id)).selfService).to.equal(true)
    })

    it('takes it from that user, and records it', async () => {
      const { id } = await grant({ selfService: true })
      const set = await services.permissions.setOwnCredentials(ids.userId, id, { password: 'neu' }, actor)
      expect(set).to.include({ credentials: 'password', secretVersion: 2 })
      expect((await services.permissions.login(id)).password).to.equal('neu')
      expect(await audited(services, 1)).to.deep.equal(['permission.credentials-changed user1@s'])
    })

    it('takes it from nobody else, and only then', async () => {
      const other = await services.users.create({ username: 'other', password: 'password-1' }, actor)
      const { id } = await grant({ credentials: { password: 'alt' } })
      const attempt = (userId: number) => services.permissions.setOwnCredentials(userId, id, { password: 'x' }, actor)
      expect(await rejectionOf(attempt(ids.userId))).to.be.instanceOf(ConflictError)
      await services.permissions.update(id, { selfService: true }, actor)
      expect(await rejectionOf(attempt(other.id))).to.be.instanceOf(UnknownObjectError)
      expect((await services.permissions.login(id)).password).to.equal('alt')
    })
  })
})
