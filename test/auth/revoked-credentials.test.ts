import { expect } from 'chai'
import { credentialName, RevokedCredentials } from '../../src/auth/revoked-credentials.js'
import { keyOf, Sessions } from '../../src/auth/sessions.js'
import { loggedIn } from '../support/logged-in.js'
import { actor, openTestServices, type TestServices } from '../support/services.js'

describe('RevokedCredentials', () => {
  let services: TestServices
  let userId: number
  let inUse: Set<string>
  let ended: string[]
  let queries: number

  beforeEach(async () => {
    services = await openTestServices()
    userId = (await services.users.create({ username: 'user1', password: 'password-1' }, actor)).id
    inUse = new Set()
    ended = []
    queries = 0
    services.database.models.AppPassword.addHook('beforeFind', () => void queries++)
  })
  afterEach(() => services.close())

  function watch(now = Date.now()): RevokedCredentials {
    return new RevokedCredentials({
      proofs: {
        'app-password': services.appPasswords,
        'api-token': services.apiTokens,
        session: new Sessions(services.database, services.audit),
        jwt: services.jwts,
      },
      use: { credentialsInUse: () => inUse, endCredentials: (names) => void ended.push(...names) },
      onError: (error) => ended.push(String(error)),
      now: () => now,
    })
  }

  it('ends what was revoked or has expired, and nothing else', async () => {
    const { appPassword: kept } = await services.appPasswords.create(userId, { name: 'kept' }, actor)
    const { appPassword: gone } = await services.appPasswords.create(userId, { name: 'gone' }, actor)
    const expiresAt = new Date(Date.now() + 60_000)
    const token = { name: 'short', scopes: ['files:read' as const], expiresAt }
    const { token: short } = await services.apiTokens.create(userId, token, actor)
    inUse = new Set([`app-password:${kept.id}`, `app-password:${gone.id}`, `api-token:${short.id}`])
    await watch().look()
    expect(ended).to.deep.equal([])
    await services.appPasswords.revoke(userId, gone.id, actor)
    await watch().look()
    expect(ended).to.deep.equal([`app-password:${gone.id}`])
    ended = []
    await watch(expiresAt.getTime()).look()
    expect(ended).to.include(`api-token:${short.id}`).and.not.include(`app-password:${kept.id}`)
  })

  it('ends what ends by itself in another way, whatever stands behind its id', async () => {
    const asked: string[][] = []
    inUse = new Set(['share:7:1', 'share:7:2+session:x', 'share:8:1', 'share:8:1+session:x'])
    const shares = {
      ended: (ids: readonly string[]) =>
        Promise.resolve(new Set(ids.filter((id) => asked.push([...ids]) > 0 && id !== '8'))),
    }
    const use = {
      credentialsInUse: () => inUse,
      endCredentials: (names: ReadonlySet<string>) => void ended.push(...names),
    }
    await new RevokedCredentials({ proofs: { share: shares }, use, onError: () => undefined }).look()
    expect(ended).to.deep.equal(['share:7:1', 'share:7:2+session:x'])
    expect(asked[0]).to.deep.equal(['7', '8'])
  })

  it('ends what a session or JWT has under way that somebody ended', async () => {
    const sessions = new Sessions(services.database, services.audit)
    const expiresAt = new Date(Date.now() + 60_000)
    for (const id of ['kept', 'gone'])
      await sessions.save(id, { userId, data: '{}', address: '', userAgent: '', expiresAt })
    const { token } = await services.jwts.issue({ userId, authVersion: 1 })
    const { jti } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { jti: string }
    inUse = new Set([`session:${keyOf('kept')}`, `session:${keyOf('gone')}`, `jwt:${jti}`])
    await watch().look()
    expect(ended).to.deep.equal([])
    await sessions.logOut('gone', userId, actor)
    await services.jwts.revoke(token, actor)
    await watch().look()
    expect(ended).to.have.members([`session:${keyOf('gone')}`, `jwt:${jti}`])
  })

  it('ends what needed two of them when one is gone', async () => {
    inUse = new Set(['share:7:1+jwt:a', 'share:7:1+jwt:b', 'share:7:1'])
    const proofs = {
      share: { ended: () => Promise.resolve(new Set<string>()) },
      jwt: { ended: () => Promise.resolve(new Set(['b'])) },
    }
    const use = {
      credentialsInUse: () => inUse,
      endCredentials: (names: ReadonlySet<string>) => void ended.push(...names),
    }
    await new RevokedCredentials({ proofs, use, onError: () => undefined }).look()
    expect(ended).to.deep.equal(['share:7:1+jwt:b'])
  })

  it('asks nobody while nothing is under way', async () => {
    await watch().look()
    expect(queries).to.equal(0)
  })

  it('names an app password apart from the API token of the same number, and a session from a JWT', () => {
    const credential = { id: 7, name: 'x' }
    expect(credentialName(loggedIn({ via: 'app-password', credential }))).to.equal('app-password:7')
    expect(credentialName(loggedIn({ via: 'api-token', credential }))).to.equal('api-token:7')
    expect(credentialName(loggedIn({ via: 'session', proof: 'k' }))).to.equal('session:k')
    expect(credentialName(loggedIn({ via: 'jwt', proof: 'k' }))).to.equal('jwt:k')
    expect(credentialName(loggedIn())).to.equal(undefined)
  })
})
