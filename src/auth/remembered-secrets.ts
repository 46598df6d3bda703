import { LRUCache } from 'lru-cache'
import type { UserAccess } from '../vfs/mount.js'
import type { KnownAccess } from './authenticate.js'
import type { IssuedSecret, SecretStore } from './issued-secret.js'
import type { ReadSecret, SecretKind } from './secret-text.js'

export interface LetIn {
  readonly secret: IssuedSecret
  readonly access: UserAccess
  /** It was not remembered: a drive or script begins. */
  readonly first: boolean
}

const SLIDING = 5 * 60_000

/**
 * App passwords and API tokens that were good, so that the requests of a drive cost no query. Whenever the revision grew,
 * everything is forgotten: what was revoked is then refused, and the rest costs one look-up each.
 */
export class RememberedSecrets {
  readonly #known: LRUCache<string, { readonly secret: IssuedSecret; readonly generation: number }>
  readonly #looking = new Map<string, Promise<LetIn | undefined>>()
  /** Grows with `forget`: what was read before counts no more. */
  #generation = 0

  constructor(
    private readonly stores: Readonly<Record<SecretKind, Pick<SecretStore, 'find'>>>,
    private readonly access: Pick<KnownAccess, 'peek' | 'get'>,
    private readonly now: () => number,
  ) {
    this.#known = new LRUCache({ max: 10_000, ttl: SLIDING, updateAgeOnGet: true, ttlResolution: 0, perf: { now } })
  }

  forget(): void {
    this.#generation++
    this.#looking.clear()
  }

  /** At once, when it is remembered and good. */
  peek({ hash }: ReadSecret): LetIn | undefined {
    const known = this.#known.get(hash)
    if (known?.generation !== this.#generation || this.#expired(known.secret)) return undefined
    const { secret } = known
    const access = this.access.peek(secret.userId)
    return access && { secret, access, first: false }
  }

  /** Undefined when it is none, revoked or expired, or its user is disabled. @throws DatabaseError */
  async find(secret: ReadSecret): Promise<LetIn | undefined> {
    const joined = this.#looking.get(secret.hash)
    if (joined) {
      const found = await joined
      return found && { ...found, first: false }
    }
    const looking = this.#find(secret)
    this.#looking.set(secret.hash, looking)
    try {
      return await looking
    } finally {
      if (this.#looking.get(secret.hash) === looking) this.#looking.delete(secret.hash)
    }
  }

  async #find(secret: ReadSecret): Promise<LetIn | undefined> {
    for (;;) {
      const generation = this.#generation
      const found = await this.stores[secret.kind].find(secret)
      const access = found && (await this.access.get(found.userId))
      if (generation !== this.#generation) continue
      if (!found || !access || this.#expired(found)) return undefined
      const first = !this.#known.has(secret.hash)
      this.#known.set(secret.hash, { secret: found, generation })
      return { secret: found, access, first }
    }
  }

  #expired({ expiresAt }: IssuedSecret): boolean {
    return expiresAt !== undefined && expiresAt.getTime() <= this.now()
  }
}
