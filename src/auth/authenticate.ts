import { hash, randomBytes } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { UserAccess } from '../vfs/mount.js'
import type { StoredCredentials } from '../users/user-service.js'
import type { ApiTokens } from './api-tokens.js'
import type { AppPasswords } from './app-passwords.js'
import { parseBasic } from './basic-credentials.js'
import { parseBearer } from './bearer-token.js'
import { HashQueue } from './hash-queue.js'
import type { Jwts } from './jwt.js'
import type { Logins, LoginWay } from './logins.js'
import { networkOf } from './network.js'
import type { PasswordHasher } from './password-hasher.js'
import { RememberedSecrets, type LetIn } from './remembered-secrets.js'
import { ADMIN_SCOPES, USER_SCOPES, type Scope } from './scope.js'
import { readSecret, sha256, type ReadSecret } from './secret-text.js'
import { Throttle } from './throttle.js'

export interface AuthenticatedUser {
  readonly userId: number
  readonly username: string
  readonly admin: boolean
  readonly authVersion: number
  /** How the user proved who it is. */
  readonly via: LoginWay
  /** The app password or API token. */
  readonly credential?: { readonly id: number; readonly name: string } | undefined
  /** Names the session (`SessionInfo.key`) or JWT (`jti`) among its kind; what runs by it ends with it. */
  readonly proof?: string | undefined
  readonly scopes: ReadonlySet<Scope>
  /** Ids of servers that the credential is limited to; undefined: all. */
  readonly servers?: readonly number[] | undefined
}

export interface Accepted {
  readonly ok: true
  readonly user: AuthenticatedUser
}

export interface Refused {
  readonly ok: false
  /**
   * `missing`: no credentials of this kind. `malformed`: a header that cannot be read. `rejected`: wrong, or no such
   * user. `throttled`: too many wrong ones, not looked at. `busy`: too many logins at once, not looked at.
   * `second-factor`: the login password is right, and does not do where no code can be asked for.
   * `password-change`: likewise, of a password that must be changed first.
   */
  readonly reason: 'missing' | 'malformed' | 'rejected' | 'throttled' | 'busy' | 'second-factor' | 'password-change'
  readonly retryAfterSeconds?: number
}

export type AuthResult = Accepted | Refused

/** Of a login form: the password is right; what is still missing until somebody is logged in. */
export interface ReportedPassword extends Accepted {
  readonly needsSecondFactor: boolean
  readonly mustChangePassword: boolean
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
  readonly appPasswords: Pick<AppPasswords, 'find'>
  readonly apiTokens: Pick<ApiTokens, 'find'>
  readonly jwts: Pick<Jwts, 'verify'>
  readonly logins: Pick<Logins, 'succeeded' | 'refused' | 'used'>
  readonly throttle?: Throttle
  readonly hashes?: HashQueue
  readonly now?: () => number
}

interface Verified {
  readonly userId: number
  readonly username: string
  readonly authVersion: number
  readonly needsSecondFactor: boolean
  readonly mustChangePassword: boolean
  readonly since: number
}

interface Proved {
  readonly ok: true
  readonly verified: Verified
  readonly access: UserAccess
  /** It was not remembered. */
  readonly first: boolean
}

type Checked = Proved | Refused

const SLIDING = 5 * 60_000
const ABSOLUTE = 60 * 60_000
/** A drive that repeats one wrong password counts, and costs a hash, once in this time. */
const SAME_MISTAKE = 60_000

const MISSING: Refused = { ok: false, reason: 'missing' }
const MALFORMED: Refused = { ok: false, reason: 'malformed' }
const REJECTED: Refused = { ok: false, reason: 'rejected' }

/**
 * The one door. A password that was right is remembered, as a keyed hash, for 5 minutes since its last use and 60 minutes
 * at most: the requests of a mounted drive cost neither bcrypt nor a query. The user's `authVersion` is looked at each
 * time, so that a changed password or a disabled user is noticed at once. App passwords and tokens are too long to be
 * guessed: they cost no bcrypt, and are refused by the limits only when they are wrong.
 */
export class Authenticator {
  readonly #key = randomBytes(32).toString('base64url')
  readonly #verified: LRUCache<string, Verified>
  readonly #mistakes: LRUCache<string, true>
  readonly #checking = new Map<string, Promise<Checked>>()
  readonly #secrets: RememberedSecrets
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
    const stores = { 'app-password': options.appPasswords, 'api-token': options.apiTokens }
    this.#secrets = new RememberedSecrets(stores, options.access, this.#now)
  }

  /**
   * Judges an `Authorization` header, Basic or Bearer; at once when the secret is remembered or the header says nothing.
   * @param address of the client, for the limits
   * @throws DatabaseError
   */
  header(header: string | undefined, address: string): AuthResult | Promise<AuthResult> {
    const result = this.bearer(header, address)
    return result === MISSING ? this.basic(header, address) : result
  }

  /** Login password or app password. */
  basic(header: string | undefined, address: string): AuthResult | Promise<AuthResult> {
    const parsed = parseBasic(header)
    if (parsed.kind === 'missing') return MISSING
    if (parsed.kind === 'malformed') return MALFORMED
    const secret = readSecret(parsed.password)
    if (secret?.kind === 'app-password') return this.#secret(secret, parsed.username, address)
    return this.password(parsed.username, parsed.password, address)
  }

  /**
   * The login password. Without `report`, one that needs a second factor or must be changed is refused; with it, for a
   * login form, the caller asks for what is missing and then tells `Logins`.
   */
  password(username: string, password: string, address: string): AuthResult | Promise<AuthResult>
  password(
    username: string,
    password: string,
    address: string,
    options: { readonly secondFactor: 'report' },
  ): ReportedPassword | Refused | Promise<ReportedPassword | Refused>
  password(
    username: string,
    password: string,
    address: string,
    { secondFactor = 'refuse' }: { readonly secondFactor?: 'refuse' | 'report' } = {},
  ): AuthResult | Promise<AuthResult> {
    const finish = secondFactor === 'report' ? reported : withoutReport
    const digest = this.#digest(username, password)
    const remembered = this.#remembered(digest)
    if (remembered) {
      const access = this.options.access.peek(remembered.userId)
      if (access?.authVersion === remembered.authVersion)
        return finish({ ok: true, verified: remembered, access, first: false })
    }
    // From different networks they are different attempts: each is judged by its own limits.
    const key = `${digest} ${networkOf(address)}`
    const running = this.#checking.get(key)
    if (running) return running.then(finish)
    const check = this.#check(digest, username, password, address).finally(() => this.#checking.delete(key))
    this.#checking.set(key, check)
    return check.then((checked) => {
      const result = finish(checked)
      if (secondFactor === 'refuse' && checked.ok && checked.first) {
        if (result.ok) this.options.logins.succeeded(result.user, address)
        else this.options.logins.refused({ ...checked.verified, via: 'password', reason: result.reason }, address)
      }
      return result
    })
  }

  /** A JWT or an API token. */
  bearer(header: string | undefined, address: string): AuthResult | Promise<AuthResult> {
    const parsed = parseBearer(header)
    if (parsed.kind === 'missing') return MISSING
    if (parsed.kind === 'malformed') return MALFORMED
    const secret = readSecret(parsed.token)
    return secret?.kind === 'api-token' ? this.#secret(secret, undefined, address) : this.#jwt(parsed.token, address)
  }

  /**
   * The user of a session; rejected when disabled, or when what was logged in with is not good any more.
   * @param authVersion as it was at the login
   * @param key of the session; undefined: it has not begun yet
   */
  session(userId: number, authVersion: number, key?: string): AuthResult | Promise<AuthResult> {
    const judge = (access: UserAccess | undefined) =>
      access?.authVersion === authVersion ? whole(access, 'session', key) : REJECTED
    const known = this.options.access.peek(userId)
    return known ? judge(known) : this.options.access.get(userId).then(judge)
  }

  /** What was wrong may be right now, and what was good may be revoked: called whenever the revision grew. */
  forget(): void {
    this.#mistakes.clear()
    this.#secrets.forget()
  }

  async #check(digest: string, username: string, password: string, address: string): Promise<Checked> {
    const remembered = this.#remembered(digest)
    if (remembered) {
      const access = await this.options.access.get(remembered.userId)
      if (access?.authVersion === remembered.authVersion)
        return { ok: true, verified: remembered, access, first: false }
      this.#verified.delete(digest)
    }
    const mistake = `${digest} ${networkOf(address)}`
    if (this.#mistakes.has(mistake)) return REJECTED
    const refused = (result: Refused, userId?: number) => {
      const unseen = result.reason !== 'rejected'
      this.options.logins.refused({ username, userId, via: 'password', reason: result.reason }, address, unseen)
      return result
    }
    const verdict = await this.#throttle.admit(username, address)
    if (!verdict.go) {
      return refused({ ok: false, reason: 'throttled', retryAfterSeconds: verdict.retryAfterSeconds })
    }
    const stored = await this.options.credentials(username)
    const hash = stored?.passwordHash ?? (await this.#dummyHash())
    const matched = await this.#hashes.run(() => this.options.hasher.matches(password, hash))
    if (!matched) return refused({ ok: false, reason: 'busy', retryAfterSeconds: 2 })
    if (!stored || !matched.value || stored.disabled) {
      this.#mistakes.set(mistake, true)
      await this.#throttle.failed(username, address)
      return refused(REJECTED, stored?.userId)
    }
    const { userId, authVersion, hasSecondFactor: needsSecondFactor, mustChangePassword } = stored
    // A change at this very moment: the password, the user or both are not what they were when they were read.
    const known = await this.options.access.get(userId)
    const access = known && known.authVersion < authVersion ? await this.options.access.renew(userId) : known
    if (access?.authVersion !== authVersion) return REJECTED
    await this.#throttle.succeeded(username, address)
    const verified = { userId, username, authVersion, needsSecondFactor, mustChangePassword, since: this.#now() }
    this.#verified.set(digest, verified)
    return { ok: true, verified, access, first: true }
  }

  /** @param username whose app password it must be; undefined for a token */
  #secret(secret: ReadSecret, username: string | undefined, address: string): AuthResult | Promise<AuthResult> {
    const known = this.#secrets.peek(secret)
    if (known && owns(known, username)) return this.#letIn(secret, known, address)
    return this.#findSecret(secret, username, address)
  }

  async #findSecret(secret: ReadSecret, username: string | undefined, address: string): Promise<AuthResult> {
    const found = await this.#secrets.find(secret)
    if (found && owns(found, username)) return this.#letIn(secret, found, address)
    return this.#wrongSecret(secret.hash, secret.kind, username, address)
  }

  #letIn({ kind }: ReadSecret, { secret, access, first }: LetIn, address: string): AuthResult {
    const { userId, username, authVersion, admin } = access
    const { id, name, scopes, servers } = secret
    const user = { userId, username, admin, authVersion, via: kind, credential: { id, name }, scopes, servers }
    if (first) this.options.logins.succeeded(user, address)
    this.options.logins.used(kind, id, address)
    return { ok: true, user }
  }

  async #jwt(token: string, address: string): Promise<AuthResult> {
    const verdict = await this.options.jwts.verify(token)
    // One that expired or was given up is nobody's guess.
    if (!verdict.ok)
      return verdict.reason === 'forged' ? this.#wrongSecret(sha256(token), 'jwt', undefined, address) : REJECTED
    const { userId, authVersion, jti } = verdict
    const access = this.options.access.peek(userId) ?? (await this.options.access.get(userId))
    return access?.authVersion === authVersion ? whole(access, 'jwt', jti) : REJECTED
  }

  async #wrongSecret(hash: string, via: LoginWay, username: string | undefined, address: string): Promise<Refused> {
    const mistake = `${hash} ${username ?? ''} ${networkOf(address)}`
    if (this.#mistakes.has(mistake)) return REJECTED
    const verdict = await this.#throttle.admit(username, address)
    if (verdict.go) {
      this.#mistakes.set(mistake, true)
      await this.#throttle.failed(username, address)
      this.options.logins.refused({ username, via, reason: 'rejected' }, address)
      return REJECTED
    }
    this.options.logins.refused({ username, via, reason: 'throttled' }, address, true)
    return { ok: false, reason: 'throttled', retryAfterSeconds: verdict.retryAfterSeconds }
  }

  #remembered(digest: string): Verified | undefined {
    const verified = this.#verified.get(digest)
    if (!verified || this.#now() - verified.since < ABSOLUTE) return verified
    this.#verified.delete(digest)
    return undefined
  }

  /** Names hold no NUL, so the two cannot be taken for others. */
  #digest(username: string, password: string): string {
    return hash('sha256', `${this.#key}${username}\0${password}`, 'base64url')
  }

  #dummyHash(): Promise<string> {
    this.#dummy ??= this.options.hasher.dummy()
    return this.#dummy
  }
}

/** Everything that the user may. */
function whole(
  { userId, username, admin, authVersion }: UserAccess,
  via: 'password' | 'session' | 'jwt',
  proof?: string,
): Accepted {
  const scopes = admin ? ADMIN_SCOPES : USER_SCOPES
  const user = { userId, username, admin, authVersion, via, scopes }
  return { ok: true, user: proof === undefined ? user : { proof, ...user } }
}

function reported(checked: Checked): ReportedPassword | Refused {
  if (!checked.ok) return checked
  const { access, verified } = checked
  const { needsSecondFactor, mustChangePassword } = verified
  return { needsSecondFactor, mustChangePassword, ...whole(access, 'password') }
}

function withoutReport(checked: Checked): AuthResult {
  if (!checked.ok) return checked
  if (checked.verified.needsSecondFactor) return { ok: false, reason: 'second-factor' }
  if (checked.verified.mustChangePassword) return { ok: false, reason: 'password-change' }
  return whole(checked.access, 'password')
}

function owns({ secret }: LetIn, username: string | undefined): boolean {
  return username === undefined || secret.username === username
}
