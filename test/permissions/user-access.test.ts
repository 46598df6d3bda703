import { expect } from 'chai'
import type { Mount } from '../../src/vfs/mount.js'
import { actor, FINGERPRINT, openTestServices, type TestServices } from '../support/services.js'

describe('AccessReader', () => {
  let services: TestServices
  let userIds: number[]
  let serverId: number

  beforeEach(async () => {
    services = await openTestServices()
    userIds = []
    for (const username of ['user1', 'user2']) {
      userIds.push((await services.users.create({ username, password: 'password-1' }, actor)).id)
    }
    const trust = { fingerprint: FINGERPRINT }
    const server = await services.servers.create({ alias: 'Server2', protocol: 'sftp', host: 'h', trust }, actor)
    serverId = server.id
  })
  afterEach(() => services.close())

  const grant = (user: number, changes: object = {}) =>
    services.permissions.grant({ userId: userIds[user] ?? 0, serverId, ...changes }, actor)
  const mountOf = async (user: number): Promise<Mount | undefined> =>
    (await services.access.accessOf(userIds[user] ?? 0))?.mounts[0]

  it('gives a user one mount per permission, ready for the drivers', async () => {
    const { id } = await grant(0, { credentials: { password: 'geheim' }, access: 'read-only', root: 'projects' })
    const access = await services.access.accessOf(userIds[0] ?? 0)
    expect(access).to.deep.include({ username: 'user1', admin: false, authVersion: 1 })
    const { account, ...mount } = access?.mounts[0] as Mount
    expect(mount).to.deep.equal({
      alias: 'Server2',
      permissionId: id,
      access: 'read-only',
      root: 'projects',
      homes: 'auto',
      upload: 'auto',
    })
    expect(account.login).to.include({ username: 'user1', password: 'geheim' })
    expect(account.server).to.deep.equal({
      id: serverId,
      alias: 'Server2',
      endpoint: {
        protocol: 'sftp',
        host: 'h',
        port: 22,
        trust: { kind: 'pinned', fingerprints: [FINGERPRINT] },
        encoding: 'utf8',
      },
      limits: { maxConnections: 64, maxConnectionsPerAccount: 4 },
      version: '1',
    })
    expect(account.key).to.not.include('geheim')
  })

  it('shares an account only between those who know the same secret', async () => {
    const credentials = { password: 'geheim' }
    await grant(0, { remoteUser: 'shared', credentials })
    const other = await grant(1, { remoteUser: 'shared', credentials })
    const key = (await mountOf(0))?.account.key
    expect((await mountOf(1))?.account.key).to.equal(key)
    await services.permissions.setCredentials(other.id, { password: 'guessed' }, actor)
    expect((await mountOf(1))?.account.key).to.not.equal(key)
    await services.servers.update(serverId, { port: 2222 }, actor)
    expect((await mountOf(0))?.account.key, 'another endpoint').to.not.equal(key)
  })

  it('does not share it on equal version numbers alone', async () => {
    await grant(0, { remoteUser: 'shared', credentials: { password: 'geheim' } })
    await grant(1, { remoteUser: 'shared', credentials: { password: 'guessed' } })
    expect((await mountOf(1))?.account.key).to.not.equal((await mountOf(0))?.account.key)
  })

  it('leaves out disabled servers and ended permissions, and keeps those without credentials', async () => {
    const { id } = await grant(0)
    expect((await mountOf(0))?.account.login.password).to.equal(undefined)
    await services.servers.setEnabled(serverId, false, actor)
    expect(await mountOf(0)).to.equal(undefined)
    await services.servers.setEnabled(serverId, true, actor)
    await services.permissions.update(id, { endsAt: '2020-01-01' }, actor)
    expect(await mountOf(0)).to.equal(undefined)
  })

  it('tells until when the answer holds', async () => {
    await grant(0, { endsAt: '2099-01-01T00:00:00Z' })
    const loaded = await services.access.load(userIds)
    expect(loaded.get(userIds[0] ?? 0)?.holdsUntil).to.equal(Date.UTC(2099, 0, 1))
    expect(loaded.get(userIds[1] ?? 0)?.holdsUntil).to.equal(Infinity)
  })

  it('knows nobody who is disabled or not there', async () => {
    await services.users.setDisabled(userIds[0] ?? 0, true, actor)
    expect(await services.access.accessOf(userIds[0] ?? 0)).to.equal(undefined)
    expect(await services.access.accessOf(4711)).to.equal(undefined)
  })

  it('trusts nothing before the first use', async () => {
    await grant(0)
    await services.servers.update(serverId, { trust: { firstUse: true } }, actor)
    const trust = (await mountOf(0))?.account.server.endpoint.trust
    expect(trust).to.deep.equal({ kind: 'pinned', fingerprints: [] })
  })

  it('keeps the mount of a secret that cannot be read, without it, and reports it', async () => {
    const { id } = await grant(0, { credentials: { password: 'geheim' } })
    const { Permission } = services.database.models
    const row = await Permission.findByPk(id)
    const userPass = (row?.userPass ?? '').replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'))
    await Permission.update({ userPass }, { where: { id } })
    expect((await mountOf(0))?.account.login).to.deep.equal({ username: 'user1' })
    expect(services.unreadable.map(String).join()).to.include('permissions.user_pass').and.not.include('geheim')
  })
})
