import { createHmac, randomBytes } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { UserAccess } from '../vfs/mount.js'
import type { StoredCredentials } from '../users/user-service.js'
import { parseBasic } from './basic-credentials.js'
import { HashQueue } from './hash-queue.js'
import { networkOf } from './network.js'
import type { PasswordHasher } from './password-hasher.js'
import { SCOPES, type Scope } from './scope.js'
import { Throttle } from './throttle.js'

export interface AuthenticatedUser {
  readonly userId: number
  readonly username: string
  readonly admin: boolean
  readonly authVersion: number
  /** How the user proved who it is. */
  readonly via: 'password' | 'app-password' | 'session' | 'jwt' | 'api-token'
  /** The app password or API token. */
  readonly credential?: { readonly id: number; readonly name: string } | undefined
  readonly scopes: ReadonlySet<Scope>
  /** Server ids that the credential is limited to; undefined: all. */
  readonly servers?: readonly number[] | undefined
}

export type AuthResult =
  | { readonly ok: true; readonly user: AuthenticatedUser }
  | {
      readonly ok: false
      /**
       * `missing`: no credentials of this kind. `malformed`: a header that cannot be read. `rejected`: wrong, or no such
       * user. `throttled`: too many wrong ones, not looked at. `busy`: too many logins at once, not looked at.
       */
      readonly reason: 'missing' | 'malformed' | 'rejected' | 'throttled' | 'busy'
      readonly retryAfterSeconds?: number
    }

/** As `AccessCache` of `permissions/`. */
export interface KnownAccess {
  peek(userId: number): UserAccess | undefined
  get(userId: number): Promise<UserAccess | undefined>
  renew(userId: number): Promise<UserAccess | undefined>
}

export interface AuthenticatorOptions {
  readonly credentials: (username: string) => Promise<StoredCredentials | undefined>
  readonly access: KnownAccess
  readonly hasher: Pick<PasswordHasher, 'matches' | 'dummy'>
  readonly throttle?: Throttle
  readonly hashes?: HashQueue
  readonly now?: () => number
}

interface Verified {
  readonly userId: number
  readonly authVersion: number
  readonly since: number
}

const USER_SCOPES: ReadonlySet<Scope> = new Set(['files:read', 'files:write', 'account'])
const ADMIN_SCOPES: ReadonlySet<Scope> = new Set(SCOPES)

const SLIDING = 5 * 60_000
const ABSOLUTE = 60 * 60_000
/** A drive that repeats one wrong password counts, and costs a hash, once in this time. */
const SAME_MISTAKE = 60_000

const MISSING: AuthResult = { ok: false, reason: 'missing' }
const MALFORMED: AuthResult = { ok: false, reason: 'malformed' }
const REJECTED: AuthResult = { ok: false, reason: 'rejected' }

/**
 * The one door for passwords. A password that was right is remembered, as a keyed hash, for 5 minutes since its last use
 * and 60 minutes at most: the requests of a mounted drive cost neither bcrypt nor a query. The user's `authVersion` is
 * looked at each time, so that a changed password or a disabled user is noticed at once.
 */
export class Authenticator {
  readonly #key = randomBytes(32)
  readonly #verified: LRUCache<string, Verified>
  readonly #mistakes: LRUCache<string, true>
  readonly #checking = new Map<string, Promise<AuthResult>>()
  readonly #throttle: Throttle
  readonly #hashes: HashQueue
  readonly #now: () => number
  #dummy: Promise<string> | undefined

  constructor(private readonly options: AuthenticatorOptions) {
    this.#now = options.now ?? Date.now
    this.#throttle = options.throttle ?? new Throttle()
    this.#hashes = options.hashes ?? new HashQueue()
    const perf = { now: this.#now }
    this.#verified = new LRUCache({ max: 10_000, ttl: SLIDING, updateAgeOnGet: true, ttlResolution: 0, perf })
    this.#mistakes = new LRUCache({ max: 10_000, ttl: SAME_MISTAKE, ttlResolution: 0, perf })
  }

  /**
   * Judges an `Authorization` header; at once when the password is remembered or the header says nothing.
   * @param address of the client, for the limits
   * @throws DatabaseError
   */
  basic(header: string | undefined, address: string): AuthResult | Promise<AuthResult> {
    const parsed = parseBasic(header)
    if (parsed.kind === 'missing') return MISSING
    if (parsed.kind === 'malformed') return MALFORMED
    return this.password(parsed.username, parsed.password, address)
  }

  /** As `basic`, for other ways in which a name and a password arrive. */
  password(username: string, password: string, address: string): AuthResult | Promise<AuthResult> {
    const digest = this.#digest(username, password)
    const remembered = this.#remembered(digest)
    if (remembered) {
      const access = this.options.access.peek(remembered.userId)
      if (access?.authVersion === remembered.authVersion) return success(access)
    }
    // From different networks they are different attempts: each is judged by its own limits.
    const key = `${digest} ${networkOf(address)}`
    const running = this.#checking.get(key)
    if (running) return running
    const check = this.#check(digest, username, password, address).finally(() => this.#checking.delete(key))
    this.#checking.set(key, check)
    return check
  }

  /** Wrong passwords may be right now: called whenever the revision grew. */
  forgetMistakes(): void {
    this.#mistakes.clear()
  }

  async #check(digest: string, username: string, password: string, address: string): Promise<AuthResult> {
    const remembered = this.#remembered(digest)
    if (remembered) {
      const access = await this.options.access.get(remembered.userId)
      if (access?.authVersion === remembered.authVersion) return success(access)
      this.#verified.delete(digest)
    }
    const mistake = `${digest} ${networkOf(address)}`
    if (this.#mistakes.has(mistake)) return REJECTED
    const verdict = await this.#throttle.admit(username, address)
    if (!verdict.go) return { ok: false, reason: 'throttled', retryAfterSeconds: verdict.retryAfterSeconds }

    const stored = await this.options.credentials(username)
    const hash = stored?.passwordHash ?? (await this.#dummyHash())
    const matched = await this.#hashes.run(() => this.options.hasher.matches(password, hash))
    if (!matched) return { ok: false, reason: 'busy', retryAfterSeconds: 2 }
    if (!stored || !matched.value || stored.disabled) {
      this.#mistakes.set(mistake, true)
      await this.#throttle.failed(username, address)
      return REJECTED
    }
    const { userId, authVersion } = stored
    // A change at this very moment: the password, the user or both are not what they were when they were read.
    const known = await this.options.access.get(userId)
    const access = known && known.authVersion < authVersion ? await this.options.access.renew(userId) : known
    if (access?.authVersion !== authVersion) return REJECTED
    await this.#throttle.succeeded(username, address)
    this.#verified.set(digest, { userId, authVersion, since: this.#now() })
    return success(access)
  }

  #remembered(digest: string): Verified | undefined {
    const verified = this.#verified.get(digest)
    if (!verified || this.#now() - verified.since < ABSOLUTE) return verified
    this.#verified.delete(digest)
    return undefined
  }

  /** Names hold no NUL, so the two cannot be taken for others. */
  #digest(username: string, password: string): string {
    return createHmac('sha256', this.#key).update(`${username}\0${password}`).digest('base64url')
  }

  #dummyHash(): Promise<string> {
    this.#dummy ??= this.options.hasher.dummy()
    return this.#dummy
  }
}

function success({ userId, username, admin, authVersion }: UserAccess): AuthResult {
  const scopes = admin ? ADMIN_SCOPES : USER_SCOPES
  return { ok: true, user: { userId, username, admin, authVersion, via: 'password', scopes } }
}
