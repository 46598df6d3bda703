import { expect } from 'chai'
import { readSecret } from '../../src/auth/secret-text.js'
import { ConflictError, UnknownObjectError, ValidationError } from '../../src/errors.js'
import { actor, audited, openTestServices, rejectionOf, type TestServices } from '../support/services.js'

describe('AppPasswords', () => {
  let services: TestServices
  let userId: number
  let serverId: number

  beforeEach(async () => {
    services = await openTestServices()
    userId = (await services.users.create({ username: 'user1', password: 'password-1' }, actor)).id
    const fields = { alias: 'server2', protocol: 'ftp', host: '192.0.2.1', port: 21 } as const
    serverId = (await services.servers.create(fields, actor)).id
    await services.permissions.grant({ userId, serverId }, actor)
  })
  afterEach(() => services.close())

  const find = (secret: string) => {
    const read = readSecret(secret)
    if (!read) throw new Error(`${secret} is none`)
    return services.appPasswords.find(read)
  }

  it('makes one that is found by its secret, and by no other', async () => {
    const { appPassword, secret } = await services.appPasswords.create(userId, { name: ' laptop ' }, actor)
    expect(appPassword).to.include({ userId, name: 'laptop', readOnly: false, servers: undefined })
    expect(await find(secret)).to.include({ id: appPassword.id, userId, username: 'user1', name: 'laptop' })
    const last = secret.endsWith('0') ? '1' : '0'
    expect(await find(secret.slice(0, -1) + last)).to.equal(undefined)
  })

  it('keeps neither the secret nor anything that it could be made from', async () => {
    const { secret } = await services.appPasswords.create(userId, { name: 'laptop' }, actor)
    const rows = await services.database.models.AppPassword.findAll({ raw: true })
    const stored = JSON.stringify([rows, await services.audit.list(), await services.appPasswords.list(userId)])
    expect(stored).to.include('laptop').and.not.include(secret.split('_')[2])
  })

  it('is limited to servers and to reading', async () => {
    const input = { name: 'backup', servers: [serverId, serverId], readOnly: true }
    const { secret } = await services.appPasswords.create(userId, input, actor)
    const found = await find(secret)
    expect(found?.servers).to.deep.equal([serverId])
    expect([...(found?.scopes ?? [])]).to.deep.equal(['files:read'])
  })

  const wrong: [string, object, string][] = [
    ['no name', { name: ' ' }, 'name'],
    ['a name of 65 characters', { name: 'a'.repeat(65) }, 'name'],
    ['a name with a line break', { name: 'a\nb' }, 'name'],
    ['no server at all', { name: 'a', servers: [] }, 'servers'],
    ['a server that the user may not reach', { name: 'a', servers: [4711] }, 'servers'],
    ['an end in the past', { name: 'a', expiresAt: '2020-01-01' }, 'expiresAt'],
    ['an end that is no date', { name: 'a', expiresAt: 'soon' }, 'expiresAt'],
    ['a field of its own', { name: 'a', userId: 1 }, 'userId'],
  ]
  for (const [title, input, field] of wrong) {
    it(`refuses ${title}`, async () => {
      const error = await rejectionOf(services.appPasswords.create(userId, input as { name: string }, actor))
      expect(error).to.be.instanceOf(ValidationError)
      expect((error as ValidationError).problems.map((problem) => problem.field)).to.deep.equal([field])
    })
  }

  it('bounds how many one user has', async () => {
    for (let n = 0; n < 50; n++) await services.appPasswords.create(userId, { name: `${n}` }, actor)
    const error = await rejectionOf(services.appPasswords.create(userId, { name: 'one more' }, actor))
    expect(error).to.be.instanceOf(ConflictError)
  })

  it('is gone once it is revoked, by its owner only', async () => {
    const { appPassword, secret } = await services.appPasswords.create(userId, { name: 'laptop' }, actor)
    const other = await services.users.create({ username: 'other', password: 'password-1' }, actor)
    const stolen = services.appPasswords.revoke(other.id, appPassword.id, actor)
    expect(await rejectionOf(stolen)).to.be.instanceOf(UnknownObjectError)
    await services.appPasswords.revoke(userId, appPassword.id, actor)
    expect(await find(secret)).to.equal(undefined)
    expect(await services.appPasswords.list(userId)).to.deep.equal([])
    expect(await audited(services, 1)).to.deep.equal(['app-password.revoked laptop'])
  })

  it('goes with its user', async () => {
    const { secret } = await services.appPasswords.create(userId, { name: 'laptop' }, actor)
    await services.users.remove(userId, actor)
    expect(await find(secret)).to.equal(undefined)
  })

  it('tells which of some were revoked or have expired', async () => {
    const ends = new Date(Date.now() + 60_000)
    const { appPassword: kept } = await services.appPasswords.create(userId, { name: 'kept' }, actor)
    const { appPassword: short } = await services.appPasswords.create(userId, { name: 'short', expiresAt: ends }, actor)
    const ids = [kept.id, short.id, 4711].map(String)
    expect([...(await services.appPasswords.ended(ids, new Date()))]).to.have.members(['4711'])
    expect([...(await services.appPasswords.ended(ids, ends))]).to.have.members(['4711', String(short.id)])
  })
})
