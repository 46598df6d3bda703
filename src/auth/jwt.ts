import { randomUUID } from 'node:crypto'
import { errors, jwtVerify, SignJWT, type JWTHeaderParameters } from 'jose'
import { LRUCache } from 'lru-cache'
import { Op } from 'sequelize'
import { actorName, type Actor } from '../audit/actor.js'
import type { AuditLog } from '../audit/audit-log.js'
import type { Database } from '../db/database.js'
import type { SecretCipher } from '../db/secret-cipher.js'

/** Seconds. */
const LIFETIME = 15 * 60
const ISSUER = 'ftpcluster'
const AUDIENCE = 'ftpcluster-api'
const TYPE = 'at+jwt'
/** Given up before their time, at once; each of them was a login. */
const MAX_REVOKED = 10_000

export type JwtVerdict =
  | { readonly ok: true; readonly userId: number; readonly authVersion: number; readonly jti: string }
  /** `expired` and `revoked` were real ones; `forged` is anything else. */
  | { readonly ok: false; readonly reason: 'expired' | 'revoked' | 'forged' }

/**
 * Access tokens of `POST /login`: HS256, 15 minutes, with a key that only this gateway has. They carry the user's
 * `authVersion`, by which a changed password or a disabled user ends them (RFC 7519, RFC 9068 for `typ`).
 */
export class Jwts {
  readonly #key: Uint8Array
  readonly #keyId: string
  readonly #revoked = new LRUCache<string, true>({ max: MAX_REVOKED })

  constructor(
    private readonly database: Database,
    private readonly audit: AuditLog,
    cipher: Pick<SecretCipher, 'deriveKey' | 'activeKeyId'>,
    private readonly now: () => number = Date.now,
  ) {
    this.#key = cipher.deriveKey('jwt')
    this.#keyId = cipher.activeKeyId
  }

  async issue(user: {
    readonly userId: number
    readonly authVersion: number
  }): Promise<{ token: string; expiresAt: Date }> {
    const issued = Math.floor(this.now() / 1000)
    const expires = issued + LIFETIME
    const token = await new SignJWT({ av: user.authVersion })
      .setProtectedHeader({ alg: 'HS256', kid: this.#keyId, typ: TYPE })
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setSubject(String(user.userId))
      .setJti(randomUUID())
      .setIssuedAt(issued)
      .setNotBefore(issued)
      .setExpirationTime(expires)
      .sign(this.#key)
    return { token, expiresAt: new Date(expires * 1000) }
  }

  /** Whether the token is one of ours and still good; the caller compares `authVersion`. */
  async verify(token: string): Promise<JwtVerdict> {
    const claims = await this.#claims(token)
    if (typeof claims === 'string') return { ok: false, reason: claims }
    if (this.#revoked.has(claims.jti)) return { ok: false, reason: 'revoked' }
    const { userId, authVersion, jti } = claims
    return { ok: true, userId, authVersion, jti }
  }

  /**
   * Ends a token, and what is under way by it, before its time: the logout of an API client. Does nothing for one that is
   * no good.
   */
  async revoke(token: string, actor: Actor): Promise<void> {
    const claims = await this.#claims(token)
    if (typeof claims === 'string') return
    const { jti, userId, expiresAt } = claims
    const { RevokedJwt } = this.database.models
    await this.database.change(async (transaction) => {
      await RevokedJwt.destroy({ where: { expiresAt: { [Op.lte]: new Date(this.now()) } }, transaction })
      await RevokedJwt.findOrCreate({ where: { jti }, defaults: { jti, expiresAt }, transaction })
      const object = { id: userId, name: actorName(actor) }
      await this.audit.record({ type: 'login.ended', object, details: { via: 'jwt' } }, actor, transaction)
    })
    this.#revoked.set(jti, true)
  }

  /** Which of these were given up; one that only expired was not. @param jtis ids of tokens @throws DatabaseError */
  async ended(jtis: readonly string[]): Promise<Set<string>> {
    const { RevokedJwt } = this.database.models
    const rows = await this.database.read(() => RevokedJwt.findAll({ attributes: ['jti'], where: { jti: [...jtis] } }))
    return new Set(rows.map(({ jti }) => jti))
  }

  /** Learns what other processes revoked: at the start, and whenever the revision grew. @throws DatabaseError */
  async refresh(): Promise<void> {
    const rows = await this.database.read(() =>
      this.database.models.RevokedJwt.findAll({
        where: { expiresAt: { [Op.gt]: new Date(this.now()) } },
        order: [['expiresAt', 'DESC']],
        limit: MAX_REVOKED,
      }),
    )
    for (const { jti } of rows) this.#revoked.set(jti, true)
  }

  async #claims(
    token: string,
  ): Promise<{ userId: number; authVersion: number; jti: string; expiresAt: Date } | 'expired' | 'forged'> {
    try {
      const { payload } = await jwtVerify(token, (header) => this.#keyFor(header), {
        algorithms: ['HS256'],
        issuer: ISSUER,
        audience: AUDIENCE,
        typ: TYPE,
        requiredClaims: ['sub', 'exp', 'nbf', 'iat', 'jti', 'av'],
        currentDate: new Date(this.now()),
      })
      const { sub, av, jti, exp } = payload
      const userId = Number(sub)
      if (!Number.isSafeInteger(userId) || typeof av !== 'number' || !jti || !exp) return 'forged'
      return { userId, authVersion: av, jti, expiresAt: new Date(exp * 1000) }
    } catch (error) {
      if (error instanceof errors.JWTExpired) return 'expired'
      if (error instanceof errors.JOSEError || error instanceof TypeError) return 'forged'
      throw error
    }
  }

  #keyFor({ kid }: JWTHeaderParameters): Uint8Array {
    if (kid !== this.#keyId) throw new errors.JWSInvalid('unknown key')
    return this.#key
  }
}
