import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { User, UserService } from '../users/user-service.js'
import { ConflictError, ValidationError } from '../errors.js'

const LIFETIME = 60 * 60_000

/**
 * The first run: who sees the gateway's log makes the first admin, by a link that is good once, for an hour, and until the
 * next start.
 */
export class Setup {
  #token: { readonly text: string; readonly until: number } | undefined
  readonly #now: () => number

  constructor(
    private readonly users: Pick<UserService, 'count' | 'hasAdmin' | 'createFirstAdmin'>,
    now: () => number = Date.now,
  ) {
    this.#now = now
    this.#token = { text: randomBytes(32).toString('base64url'), until: now() + LIFETIME }
  }

  /** Whether there is no admin yet. @throws DatabaseError */
  async needed(): Promise<boolean> {
    return !(await this.users.hasAdmin())
  }

  /** Whether nobody at all can log in yet. @throws DatabaseError */
  async untouched(): Promise<boolean> {
    return (await this.users.count()) === 0
  }

  /** For the log only. @param origin where browsers reach the gateway, e.g. `https://files.example.org` */
  link(origin: string): string {
    return `${origin}/setup?token=${this.#token?.text ?? ''}`
  }

  /** Whether a link that somebody follows is the good one. */
  accepts(token: string): boolean {
    if (!this.#token || this.#token.until <= this.#now()) return false
    return timingSafeEqual(digest(token), digest(this.#token.text))
  }

  /**
   * Makes the first admin. Of two who come at once, one succeeds.
   * @throws ValidationError (`token`, `username`, `password`), ConflictError (there is an admin already, the name is taken)
   */
  async complete(token: string, input: { username: string; password: string }, address: string): Promise<User> {
    if (!(await this.needed())) throw new ConflictError('FTPCluster is set up already: log in.')
    if (!this.accepts(token)) {
      const message = 'is not good any more: restart the gateway, and take the new link from its log'
      throw new ValidationError([{ field: 'token', message }])
    }
    const { username, password } = input
    const actor = { kind: 'stranger', username: 'first run', address } as const
    const user = await this.users.createFirstAdmin({ username, password }, actor)
    this.#token = undefined
    return user
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
