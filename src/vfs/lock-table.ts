import { randomUUID } from 'node:crypto'
import { isWithin, parentOf } from '../storage/remote-path.js'
import { VfsError } from './errors.js'
import type { LockRecord, LockScope, LockStore, ResourceKey } from './ports.js'

export interface LockLimits {
  /** Longest life of a lock without refresh, seconds. */
  readonly maxSeconds: number
  readonly maxPerUser: number
}

export interface NewLock extends ResourceKey {
  readonly depth: '0' | 'infinity'
  readonly scope: LockScope
  readonly userId: number
  readonly ownerXml: string
  /** Wanted seconds; undefined: as long as allowed. */
  readonly seconds: number | undefined
}

/** Which locks stand in the way of a change. RFC 4918 sections 6.1 and 7. */
export type Change =
  /** Content or properties of what is there. */
  | 'modify'
  /** A new member of its folder. */
  | 'add'
  /** Removed with everything below. */
  | 'remove'

/**
 * All write locks, in memory for every question and in the store for the next start. The gateway is the store's only
 * writer, so the copy is always right. Time is the database's: an offset measured on loading.
 */
export class LockTable {
  readonly #byToken = new Map<string, LockRecord>()
  readonly #byPath = new Map<string, Map<string, LockRecord[]>>()
  #clockOffset = 0

  constructor(
    private readonly store: LockStore,
    private readonly limits: LockLimits,
    private readonly clock: () => number = Date.now,
  ) {}

  async load(): Promise<void> {
    const { locks, now } = await this.store.load()
    this.#clockOffset = now - this.clock()
    for (const lock of locks) this.#add(lock)
  }

  get size(): number {
    return this.#byToken.size
  }

  /** Ms since the epoch, by the database's clock. */
  now(): number {
    return this.clock() + this.#clockOffset
  }

  secondsLeft(lock: LockRecord): number {
    return Math.max(0, Math.ceil((lock.expiresAt - this.now()) / 1000))
  }

  /** Locks on the resource and those of depth infinity above it. */
  covering(key: ResourceKey): LockRecord[] {
    const paths = this.#byPath.get(key.namespace)
    if (paths === undefined) return []
    const found = this.#alive(paths.get(key.path))
    for (let path = key.path; path !== '/';) {
      path = parentOf(path)
      for (const lock of this.#alive(paths.get(path))) if (lock.depth === 'infinity') found.push(lock)
    }
    return found
  }

  /** Locks on anything strictly below. */
  below(key: ResourceKey): LockRecord[] {
    const found: LockRecord[] = []
    for (const [path, locks] of this.#byPath.get(key.namespace) ?? []) {
      if (path !== key.path && isWithin(key.path, path)) found.push(...this.#alive(locks))
    }
    return found
  }

  /**
   * Locks that forbid a change to whoever submitted `tokens`. One submitted token of the user's own opens a resource, also
   * where it carries several shared locks.
   */
  blocking(key: ResourceKey, change: Change, tokens: ReadonlySet<string>, userId: number): LockRecord[] {
    if (!this.#byPath.has(key.namespace)) return []
    const inTheWay = new Set(this.covering(key))
    if (change !== 'modify') {
      for (const lock of this.covering({ namespace: key.namespace, path: parentOf(key.path) })) inTheWay.add(lock)
    }
    if (change === 'remove') for (const lock of this.below(key)) inTheWay.add(lock)

    const opened = new Set<string>()
    for (const lock of inTheWay) if (tokens.has(lock.token) && lock.userId === userId) opened.add(lock.path)
    return [...inTheWay].filter((lock) => !opened.has(lock.path))
  }

  /** Locks that a new lock would conflict with. */
  conflicting(wanted: ResourceKey & { depth: '0' | 'infinity'; scope: LockScope }): LockRecord[] {
    const near = this.covering(wanted)
    if (wanted.depth === 'infinity') near.push(...this.below(wanted))
    return near.filter((lock) => lock.scope === 'exclusive' || wanted.scope === 'exclusive')
  }

  /** The caller has made sure that nothing conflicts. @throws TOO_MANY_LOCKS */
  async create(wanted: NewLock): Promise<LockRecord> {
    if (this.#countOf(wanted.userId) >= this.limits.maxPerUser) {
      throw new VfsError('TOO_MANY_LOCKS', `You hold ${this.limits.maxPerUser} locks, the most that one user may.`)
    }
    const { seconds, ...rest } = wanted
    const lock: LockRecord = {
      ...rest,
      token: `opaquelocktoken:${randomUUID()}`,
      expiresAt: this.#expiry(seconds),
    }
    // First in memory: from here on nobody else gets a conflicting one.
    this.#add(lock)
    try {
      await this.store.insert(lock)
    } catch (error) {
      this.#drop(lock)
      throw error
    }
    return lock
  }

  /** The lock with this token that covers the resource. @throws NO_SUCH_LOCK */
  find(key: ResourceKey, token: string): LockRecord {
    const lock = this.#byToken.get(token)
    if (lock === undefined || !this.covering(key).includes(lock)) {
      throw new VfsError('NO_SUCH_LOCK', 'No lock with this token covers the resource.')
    }
    return lock
  }

  async refresh(lock: LockRecord, seconds: number | undefined): Promise<LockRecord> {
    const fresh = { ...lock, expiresAt: this.#expiry(seconds) }
    await this.store.refresh(lock.token, fresh.expiresAt)
    this.#drop(lock)
    this.#add(fresh)
    return fresh
  }

  async remove(locks: readonly LockRecord[]): Promise<void> {
    if (locks.length === 0) return
    await this.store.delete(locks.map((lock) => lock.token))
    for (const lock of locks) this.#drop(lock)
  }

  /** The resource and everything below is gone: so are its locks. RFC 4918 section 9.6. */
  async removeWithin(key: ResourceKey): Promise<void> {
    const paths = this.#byPath.get(key.namespace)
    if (paths === undefined) return
    await this.remove([...(paths.get(key.path) ?? []), ...this.below(key)])
  }

  /** Forgets what expired. Expired locks never count; this only gives the room back. */
  async sweep(): Promise<void> {
    const now = this.now()
    await this.remove([...this.#byToken.values()].filter((lock) => lock.expiresAt <= now))
  }

  /** Gives up the locks of users who cannot log in any more: nobody else could end them before they expire. */
  async releaseFormer(): Promise<void> {
    const holders = new Set([...this.#byToken.values()].map((lock) => lock.userId))
    if (holders.size === 0) return
    const former = await this.store.former([...holders])
    await this.remove([...this.#byToken.values()].filter((lock) => former.has(lock.userId)))
  }

  #expiry(seconds: number | undefined): number {
    const granted = Math.min(seconds ?? this.limits.maxSeconds, this.limits.maxSeconds)
    return this.now() + granted * 1000
  }

  #alive(locks: LockRecord[] | undefined): LockRecord[] {
    const now = this.now()
    return locks === undefined ? [] : locks.filter((lock) => lock.expiresAt > now)
  }

  #countOf(userId: number): number {
    const now = this.now()
    let count = 0
    for (const lock of this.#byToken.values()) if (lock.userId === userId && lock.expiresAt > now) count++
    return count
  }

  #add(lock: LockRecord): void {
    this.#byToken.set(lock.token, lock)
    let paths = this.#byPath.get(lock.namespace)
    if (paths === undefined) this.#byPath.set(lock.namespace, (paths = new Map<string, LockRecord[]>()))
    const here = paths.get(lock.path)
    if (here === undefined) paths.set(lock.path, [lock])
    else here.push(lock)
  }

  #drop(lock: LockRecord): void {
    this.#byToken.delete(lock.token)
    const paths = this.#byPath.get(lock.namespace)
    const rest = paths?.get(lock.path)?.filter((other) => other.token !== lock.token) ?? []
    if (rest.length > 0) paths?.set(lock.path, rest)
    else paths?.delete(lock.path)
    if (paths?.size === 0) this.#byPath.delete(lock.namespace)
  }
}
