import { expect } from 'chai'
import { createHmac, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { Jwts } from '../../src/auth/jwt.js'
import { SecretCipher } from '../../src/db/secret-cipher.js'
import { actor, audited, openTestServices, type TestServices } from '../support/services.js'

const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const decode = (part: string | undefined) =>
  JSON.parse(Buffer.from(part ?? '', 'base64url').toString()) as Record<string, unknown>

describe('Jwts', () => {
  let services: TestServices
  let cipher: SecretCipher
  let jwts: Jwts
  let now: number
  const user = { userId: 7, authVersion: 3 }

  beforeEach(async () => {
    services = await openTestServices()
    cipher = new SecretCipher([Buffer.alloc(32, 9)])
    now = Date.now()
    jwts = new Jwts(services.database, services.audit, cipher, () => now)
  })
  afterEach(() => services.close())

  /** As the gateway would sign it, with any header and payload. */
  function signed(header: object, payload: object, key: Buffer = cipher.deriveKey('jwt'), hash = 'sha256'): string {
    const text = `${base64(header)}.${base64(payload)}`
    return `${text}.${createHmac(hash, key).update(text).digest('base64url')}`
  }

  /** Header and payload of a real one, with changes. */
  async function forged(change: { header?: object; payload?: object }): Promise<[object, object]> {
    const [header, payload] = (await jwts.issue(user)).token.split('.')
    return [
      { ...decode(header), ...change.header },
      { ...decode(payload), ...change.payload },
    ]
  }

  it('knows its own for 15 minutes', async () => {
    const { token, expiresAt } = await jwts.issue(user)
    expect(expiresAt.getTime() - now).to.be.within(14 * 60_000, 15 * 60_000)
    expect(await jwts.verify(token)).to.deep.equal({ ok: true, ...user, jti: decode(token.split('.')[1])['jti'] })
    now = expiresAt.getTime()
    expect(await jwts.verify(token)).to.deep.equal({ ok: false, reason: 'expired' })
  })

  it('holds nothing but who, until when and which', async () => {
    const { token } = await jwts.issue(user)
    const [header, payload] = token.split('.')
    expect(decode(header)).to.have.all.keys('alg', 'kid', 'typ')
    expect(decode(payload)).to.have.all.keys('sub', 'av', 'iss', 'aud', 'iat', 'nbf', 'exp', 'jti')
  })

  it('signs as these tests do: what they forge fails for one reason only', async () => {
    const [header, payload] = await forged({})
    const { jti } = payload as { jti: string }
    expect(await jwts.verify(signed(header, payload))).to.deep.equal({ ok: true, ...user, jti })
  })

  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const forgeries: [string, (now: number) => { header?: object; payload?: object }][] = [
    ['no audience of ours', () => ({ payload: { aud: 'somebody-else' } })],
    ['no issuer of ours', () => ({ payload: { iss: 'somebody-else' } })],
    ['a begin in the future', (now) => ({ payload: { nbf: now / 1000 + 60 } })],
    ['no end', () => ({ payload: { exp: undefined } })],
    ['no id', () => ({ payload: { jti: undefined } })],
    ['no authVersion', () => ({ payload: { av: undefined } })],
    ['a user that is no number', () => ({ payload: { sub: '7 OR 1=1' } })],
    ['a key id that is a path', () => ({ header: { kid: '../../dev/null' } })],
    ['no key id', () => ({ header: { kid: undefined } })],
    ['another type', () => ({ header: { typ: 'JWT' } })],
    ['a critical extension', () => ({ header: { crit: ['x'], x: 1 } })],
    ['HS512', () => ({ header: { alg: 'HS512' } })],
  ]
  for (const [title, change] of forgeries) {
    it(`refuses ${title}, however well signed`, async () => {
      const [header, payload] = await forged(change(now))
      const hash = 'alg' in header && header.alg === 'HS512' ? 'sha512' : 'sha256'
      expect(await jwts.verify(signed(header, payload, undefined, hash))).to.deep.equal({ ok: false, reason: 'forged' })
    })
  }

  it('refuses a changed payload, another key and no signature at all', async () => {
    const { token } = await jwts.issue(user)
    const [header = '', payload = '', signature = ''] = token.split('.')
    const changed = base64({ ...decode(payload), sub: '1' })
    const tokens = [
      [header, changed, signature].join('.'),
      signed(...(await forged({})), randomBytes(32)),
      ...['none', 'None', 'NONE', 'nOnE'].map((alg) => `${base64({ ...decode(header), alg })}.${payload}.`),
      `${header}.${payload}.`,
      `${header}.${payload}`,
      '',
      '..',
      'a.b.c',
      `${token}.x`,
    ]
    for (const forgery of tokens) {
      expect(await jwts.verify(forgery), forgery).to.deep.equal({ ok: false, reason: 'forged' })
    }
  })

  it('refuses RS256, signed with a private key or with a public one as if it were a secret', async () => {
    const [header, payload] = await forged({ header: { alg: 'RS256' } })
    const text = `${base64(header)}.${base64(payload)}`
    const tokens = [
      `${text}.${sign('sha256', Buffer.from(text), privateKey).toString('base64url')}`,
      signed(header, payload, Buffer.from(publicKey.export({ type: 'spki', format: 'pem' }))),
      signed({ ...header, alg: 'HS256' }, payload, Buffer.from(publicKey.export({ type: 'spki', format: 'pem' }))),
    ]
    for (const forgery of tokens) expect(await jwts.verify(forgery)).to.deep.equal({ ok: false, reason: 'forged' })
  })

  it('refuses one of another gateway', async () => {
    const other = new Jwts(services.database, services.audit, new SecretCipher([Buffer.alloc(32, 8)]), () => now)
    expect(await jwts.verify((await other.issue(user)).token)).to.deep.equal({ ok: false, reason: 'forged' })
  })

  it('refuses one that was revoked, here and in another process, and no other', async () => {
    const elsewhere = new Jwts(services.database, services.audit, cipher, () => now)
    const { token } = await jwts.issue(user)
    const { token: kept } = await jwts.issue(user)
    await jwts.revoke(token, actor)
    await elsewhere.refresh()
    for (const process of [jwts, elsewhere]) {
      expect(await process.verify(token)).to.deep.equal({ ok: false, reason: 'revoked' })
      expect(await process.verify(kept)).to.include({ ok: true })
    }
  })

  it('ends by a logout that is audited, and what only expired was not ended by anybody', async () => {
    const { token } = await jwts.issue(user)
    const { jti } = decode(token.split('.')[1]) as { jti: string }
    expect([...(await jwts.ended([jti]))]).to.deep.equal([])
    await jwts.revoke(token, { kind: 'user', userId: 7, username: 'user1', address: '192.0.2.7' })
    expect([...(await jwts.ended([jti, 'another']))]).to.deep.equal([jti])
    expect(await audited(services, 1)).to.deep.equal(['login.ended user1'])
    now += 16 * 60_000
    await jwts.revoke(token, actor)
    expect(await audited(services), 'a second time it is no logout').to.have.length(1)
  })

  it('keeps a revoked one no longer than it would have lived', async () => {
    await jwts.revoke((await jwts.issue(user)).token, actor)
    now += 16 * 60_000
    await jwts.revoke((await jwts.issue(user)).token, actor)
    expect(await services.database.models.RevokedJwt.count()).to.equal(1)
  })
})
