import { expect } from 'chai'
import type { Scope } from '../../src/auth/scope.js'
import { readSecret } from '../../src/auth/secret-text.js'
import { UnknownObjectError, ValidationError } from '../../src/errors.js'
import { actor, audited, openTestServices, rejectionOf, type TestServices } from '../support/services.js'

describe('ApiTokens', () => {
  let services: TestServices
  let userId: number
  let adminId: number

  beforeEach(async () => {
    services = await openTestServices()
    userId = (await services.users.create({ username: 'user1', password: 'password-1' }, actor)).id
    adminId = (await services.users.create({ username: 'boss', password: 'password-1', role: 'admin' }, actor)).id
  })
  afterEach(() => services.close())

  const create = (owner: number, ...scopes: string[]) =>
    services.apiTokens.create(owner, { name: 'script', scopes: scopes as Exclude<Scope, 'account'>[] }, actor)
  async function scopesOf(secret: string): Promise<string[] | undefined> {
    const read = readSecret(secret)
    const found = read && (await services.apiTokens.find(read))
    return found && [...found.scopes]
  }

  it('may do what was chosen', async () => {
    const { token, secret } = await create(userId, 'files:write', 'files:read')
    expect(token.scopes).to.deep.equal(['files:read', 'files:write'])
    expect(await scopesOf(secret)).to.deep.equal(['files:read', 'files:write'])
  })

  it('keeps nothing that the secret could be made from', async () => {
    const { secret } = await create(userId, 'files:read')
    const rows = await services.database.models.ApiToken.findAll({ raw: true })
    const stored = JSON.stringify([rows, await services.audit.list(), await services.apiTokens.list(userId)])
    expect(stored).to.include('script').and.not.include(secret.split('_')[2])
  })

  for (const [title, scopes] of [
    ['none', []],
    ['the account', ['account']],
    ['an unknown one', ['root']],
    ['writing without reading', ['files:write']],
    ['admin:read of somebody who is no admin', ['admin:read']],
  ] as [string, string[]][]) {
    it(`refuses ${title}`, async () => {
      const error = await rejectionOf(create(userId, ...scopes))
      expect(error).to.be.instanceOf(ValidationError)
      expect((error as ValidationError).problems[0]?.field).to.match(/^scopes/)
    })
  }

  it('administers nothing once its user is no admin any more', async () => {
    const { secret } = await create(adminId, 'admin:read', 'admin:write', 'files:read')
    expect(await scopesOf(secret)).to.deep.equal(['files:read', 'admin:read', 'admin:write'])
    await services.users.create({ username: 'other', password: 'password-1', role: 'admin' }, actor)
    await services.users.setRole(adminId, 'user', actor)
    expect(await scopesOf(secret)).to.deep.equal(['files:read'])
  })

  it('is gone once it is revoked, by its owner only', async () => {
    const { token, secret } = await create(userId, 'files:read')
    expect(await rejectionOf(services.apiTokens.revoke(adminId, token.id, actor))).to.be.instanceOf(UnknownObjectError)
    await services.apiTokens.revoke(userId, token.id, actor)
    expect(await scopesOf(secret)).to.equal(undefined)
    expect(await audited(services, 2)).to.deep.equal(['api-token.revoked script', 'api-token.created script'])
  })
})
