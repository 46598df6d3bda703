import { EventEmitter } from 'node:events'
import { isDeepStrictEqual } from 'node:util'
import { LRUCache } from 'lru-cache'
import type { UserAccess } from '../vfs/mount.js'
import type { LoadedAccess } from './user-access.js'

/** What a user could reach before a change and can reach after it; undefined: nothing, not even log in. */
export interface AccessChange {
  readonly userId: number
  readonly before: UserAccess
  readonly after: UserAccess | undefined
}

interface Events {
  change: [change: AccessChange]
}

export type AccessLoader = (userIds: readonly number[]) => Promise<ReadonlyMap<number, LoadedAccess>>

export interface AccessCacheOptions {
  readonly load: AccessLoader
  /** Users kept at most. */
  readonly max?: number
  readonly now?: () => number
  /** Hears of a database error in the background; the work is tried again by itself. */
  readonly onError?: (error: unknown) => void
}

/** A timer of Node takes no longer delay. */
const LONGEST_TIMER = 2 ** 31 - 1

/** Milliseconds until a refresh that met a database error is tried again. */
const RETRY_DELAY = 1000

/**
 * What users may reach, kept so that a request of a known user needs no query. Whoever watches the revision calls
 * `refresh` when it grew; from that moment on nothing older is given out. `change` tells, once for each user who was known,
 * what became different by that or by the end of a permission, so that open transfers can be cut.
 */
export class AccessCache {
  readonly #events = new EventEmitter<Events>()
  /** What may be given out. */
  readonly #fresh: LRUCache<number, LoadedAccess>
  /** What was given out last, fresh or not: what a change is measured by. */
  readonly #told: LRUCache<number, UserAccess>
  readonly #loading = new Map<number, Promise<UserAccess | undefined>>()
  readonly #load: AccessLoader
  readonly #now: () => number
  readonly #onError: (error: unknown) => void
  /** Grows with every refresh: what was read before it is not kept. */
  #generation = 0
  #running: Promise<void> = Promise.resolve()
  #queued: Promise<void> | undefined
  #endTimer: NodeJS.Timeout | undefined
  #retryTimer: NodeJS.Timeout | undefined

  constructor({ load, max = 10_000, now = Date.now, onError = () => undefined }: AccessCacheOptions) {
    this.#load = load
    this.#now = now
    this.#onError = onError
    this.#fresh = new LRUCache({ max })
    this.#told = new LRUCache({ max })
  }

  onChange(listener: (change: AccessChange) => void): void {
    this.#events.on('change', listener)
  }

  /** At once, when it is known. */
  peek(userId: number): UserAccess | undefined {
    const known = this.#fresh.get(userId)
    return known && known.holdsUntil > this.#now() ? known.access : undefined
  }

  /** Undefined for a user who is disabled or not there. @throws DatabaseError */
  async get(userId: number): Promise<UserAccess | undefined> {
    const known = this.peek(userId)
    if (known) return known
    const loading = this.#loading.get(userId) ?? this.#fetch(userId)
    this.#loading.set(userId, loading)
    try {
      return await loading
    } finally {
      if (this.#loading.get(userId) === loading) this.#loading.delete(userId)
    }
  }

  /** As `get`, but what is known is read again: for who has learned, otherwise, that it is old. @throws DatabaseError */
  async renew(userId: number): Promise<UserAccess | undefined> {
    this.#fresh.delete(userId)
    this.#loading.delete(userId)
    return this.get(userId)
  }

  /** Forgets everything at once, then reads anew what was known and tells what changed. */
  refresh(): Promise<void> {
    this.#generation++
    this.#fresh.clear()
    this.#loading.clear()
    // One that has not begun yet will see this change too.
    this.#queued ??= this.#running.then(() => {
      this.#queued = undefined
      this.#running = this.#reload([...this.#told.keys()]).catch((error: unknown) => this.#retryLater(error))
      return this.#running
    })
    return this.#queued
  }

  /** Stops every timer. */
  stop(): void {
    clearTimeout(this.#endTimer)
    clearTimeout(this.#retryTimer)
    this.#fresh.clear()
    this.#told.clear()
    this.#events.removeAllListeners()
  }

  async #fetch(userId: number): Promise<UserAccess | undefined> {
    for (;;) {
      const generation = this.#generation
      const loaded = (await this.#load([userId])).get(userId)
      if (generation !== this.#generation) continue
      return this.#learn(userId, loaded)
    }
  }

  async #reload(userIds: readonly number[]): Promise<void> {
    if (userIds.length === 0) return
    const generation = this.#generation
    const loaded = await this.#load(userIds)
    // A newer refresh is queued: it reads all of this again.
    if (generation !== this.#generation) return
    for (const userId of userIds) this.#learn(userId, loaded.get(userId))
  }

  #learn(userId: number, loaded: LoadedAccess | undefined): UserAccess | undefined {
    const before = this.#told.get(userId)
    const same = before !== undefined && isDeepStrictEqual(before, loaded?.access)
    const after = same ? before : loaded?.access
    if (loaded && after) {
      this.#fresh.set(userId, { access: after, holdsUntil: loaded.holdsUntil })
      this.#told.set(userId, after)
      if (loaded.holdsUntil !== Infinity) this.#waitForEnd()
    } else {
      this.#told.delete(userId)
    }
    if (before && !same) this.#events.emit('change', { userId, before, after })
    return after
  }

  #retryLater(error: unknown): void {
    this.#onError(error)
    clearTimeout(this.#retryTimer)
    this.#retryTimer = setTimeout(() => void this.refresh(), RETRY_DELAY)
    this.#retryTimer.unref()
  }

  #waitForEnd(): void {
    clearTimeout(this.#endTimer)
    const next = Math.min(Infinity, ...[...this.#fresh.values()].map((entry) => entry.holdsUntil))
    if (next === Infinity) return
    const delay = Math.min(Math.max(next - this.#now(), 0) + 1, LONGEST_TIMER)
    this.#endTimer = setTimeout(() => void this.#endPassed(), delay)
    this.#endTimer.unref()
  }

  /** Reads anew the users of whom a permission ended. */
  async #endPassed(): Promise<void> {
    const now = this.#now()
    const ended = [...this.#fresh.entries()].filter(([, entry]) => entry.holdsUntil <= now).map(([userId]) => userId)
    for (const userId of ended) this.#fresh.delete(userId)
    try {
      await this.#reload(ended)
      this.#waitForEnd()
    } catch (error) {
      this.#retryLater(error)
    }
  }
}
