import type { AuditLog } from '../audit/audit-log.js'
import type { Database } from '../db/database.js'
import type { SecretCipher } from '../db/secret-cipher.js'
import type { UserService } from '../users/user-service.js'
import { ApiTokens } from './api-tokens.js'
import { AppPasswords } from './app-passwords.js'
import { Authenticator, type KnownAccess } from './authenticate.js'
import { Jwts } from './jwt.js'
import { Logins } from './logins.js'
import type { PasswordHasher } from './password-hasher.js'
import { RevokedCredentials, type CredentialUse, type Proofs } from './revoked-credentials.js'
import { SecondFactor } from './second-factor.js'
import { Sessions } from './sessions.js'
import { Setup } from './setup.js'
import { Throttle } from './throttle.js'
import { ThrottleMemory } from './throttle-memory.js'

export interface AuthParts {
  readonly database: Database
  readonly audit: AuditLog
  readonly cipher: SecretCipher
  readonly users: UserService
  readonly hasher: PasswordHasher
  readonly access: KnownAccess
  /** What is under way, to be ended by a revocation. */
  readonly use: CredentialUse
  /** By which one user reads what another one shares; as `ShareService` of `shares/`. */
  readonly shares?: Proofs
  /** Hears of database errors in the background; the work is tried again by itself. */
  readonly onError: (error: unknown) => void
}

const SWEEP_EVERY = 10 * 60_000

/** Everything about who somebody is. Between `start` and `stop` it keeps itself up to date. */
export class Auth {
  readonly throttle = new Throttle()
  readonly appPasswords: AppPasswords
  readonly apiTokens: ApiTokens
  readonly jwts: Jwts
  readonly logins: Logins
  readonly secondFactor: SecondFactor
  readonly sessions: Sessions
  readonly setup: Setup
  readonly authenticator: Authenticator
  readonly #memory: ThrottleMemory
  readonly #revoked: RevokedCredentials
  readonly #onError: (error: unknown) => void
  #sweeper: NodeJS.Timeout | undefined

  constructor({ database, audit, cipher, users, hasher, access, use, shares, onError }: AuthParts) {
    this.appPasswords = new AppPasswords(database, audit)
    this.apiTokens = new ApiTokens(database, audit)
    const stores = { 'app-password': this.appPasswords, 'api-token': this.apiTokens }
    this.jwts = new Jwts(database, audit, cipher)
    this.logins = new Logins(database, audit, stores, onError)
    this.secondFactor = new SecondFactor(database, audit, cipher, this.throttle)
    this.sessions = new Sessions(database, audit)
    this.setup = new Setup(users)
    this.authenticator = new Authenticator({
      credentials: (username) => users.credentials(username),
      access,
      hasher,
      appPasswords: this.appPasswords,
      apiTokens: this.apiTokens,
      jwts: this.jwts,
      logins: this.logins,
      throttle: this.throttle,
    })
    this.#memory = new ThrottleMemory(database, this.throttle, onError)
    const proofs = { ...stores, session: this.sessions, jwt: this.jwts, ...(shares && { share: shares }) }
    this.#revoked = new RevokedCredentials({ proofs, use, onError })
    this.#onError = onError
  }

  /** @throws DatabaseError */
  async start(): Promise<void> {
    await this.jwts.refresh()
    await this.#memory.start()
    this.#revoked.start()
    this.#sweeper = setInterval(() => {
      this.sessions.sweep().catch(this.#onError)
    }, SWEEP_EVERY)
    this.#sweeper.unref()
  }

  /** The revision grew. From the moment of the call nothing older is believed; resolves when what must end has ended. */
  async changed(): Promise<void> {
    this.authenticator.forget()
    await Promise.all([this.#revoked.look(), this.jwts.refresh()].map((work) => work.catch(this.#onError)))
  }

  /** Writes what is not written yet. */
  async stop(): Promise<void> {
    clearInterval(this.#sweeper)
    this.#revoked.stop()
    await this.logins.stop()
    await this.#memory.stop()
  }
}
