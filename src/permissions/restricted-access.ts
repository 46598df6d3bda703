import { LRUCache } from 'lru-cache'
import type { UserAccess } from '../vfs/mount.js'

export interface Restriction {
  /** Ids; undefined: every server of the user. */
  readonly servers?: readonly number[] | undefined
  readonly readOnly: boolean
  /** The app password, token or session behind it, so that what it opened can be ended: `app-password:7`. */
  readonly credential: string
}

/** Of one user; those used last stay. More at once only cost a little more. */
const MAX_PER_USER = 100

/** What a user may reach by one credential: equal for equal arguments, so that the tree is kept too. */
export class RestrictedAccess {
  readonly #derived = new WeakMap<UserAccess, LRUCache<string, UserAccess>>()

  of(access: UserAccess, { servers, readOnly, credential }: Restriction): UserAccess {
    const known = this.#derived.get(access) ?? new LRUCache<string, UserAccess>({ max: MAX_PER_USER })
    this.#derived.set(access, known)
    let derived = known.get(credential)
    if (derived === undefined) {
      const mounts = access.mounts
        .filter(({ account }) => servers === undefined || servers.includes(account.server.id))
        .map((mount) => (readOnly && mount.access !== 'read-only' ? { ...mount, access: 'read-only' as const } : mount))
      derived = { ...access, mounts, credential }
      known.set(credential, derived)
    }
    return derived
  }
}
