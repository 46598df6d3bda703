import type { Account, Use } from './account.js'
import type { Breaker } from './breaker.js'
import type { Connection } from './driver.js'
import type { StorageError } from './errors.js'
import { limitNow, type LearnedLimit, type PoolLimits } from './pool-limits.js'

export type PooledState =
  | { readonly kind: 'idle'; readonly since: number }
  | { readonly kind: 'lent'; readonly use: Use; readonly idleBefore: number }
  | { readonly kind: 'closed' }

/** One logged-in connection and what the pool remembers of it. */
export class PooledConnection {
  state: PooledState
  /** True once it served somebody: a server may have closed it in the meantime. */
  reused = false
  /** Not to be lent again. */
  doomed = false

  constructor(
    readonly pool: AccountPool,
    readonly connection: Connection,
    readonly born: number,
    /** Where connections of the whole server are counted. */
    private readonly onServer: Set<PooledConnection>,
  ) {
    this.state = { kind: 'idle', since: born }
    pool.connections.add(this)
    onServer.add(this)
  }

  close(): void {
    this.state = { kind: 'closed' }
    this.pool.connections.delete(this)
    this.onServer.delete(this)
    this.connection.close()
  }
}

/** The connections of one account on one version of its server. */
export class AccountPool {
  readonly connections = new Set<PooledConnection>()
  /** The connect under way, to abort it by. Never two: a wrong secret reaches the server once, however many ask. */
  connecting: AbortController | undefined
  /** The server has just had enough connections: no connect for a moment. */
  paused = false
  /** Uses waiting; kept by the waiting line. */
  waiting = 0
  /** No longer the pool of its account: everything in it is closed when it comes back. */
  retired = false
  #learned: LearnedLimit | undefined
  /** The last login did, and none since broke off. */
  #worked = false
  #failing: { readonly error: StorageError; readonly pause: number; readonly until: number } | undefined

  constructor(
    /** Account key and server version. */
    readonly key: string,
    readonly account: Account,
    readonly breaker: Breaker,
  ) {}

  limit(configured: number, now: number): number {
    return limitNow(configured, this.#learned, now)
  }

  learn(limit: LearnedLimit): void {
    this.#learned = limit
  }

  /** The login failed though its server is fine: the error is the answer for a while, longer each time in a row. */
  loginFailed(error: StorageError, now: number, limits: Pick<PoolLimits, 'breakerPause' | 'breakerMaxPause'>): void {
    const { breakerPause, breakerMaxPause } = limits
    const pause = this.#failing === undefined ? breakerPause : Math.min(this.#failing.pause * 2, breakerMaxPause)
    this.#failing = { error, pause, until: now + pause }
  }

  /** A login ended without an answer. @returns true for the first since one that worked: it is tried once more at once */
  loginBrokeOff({ code }: StorageError): boolean {
    const first = code === 'CONNECTION_LOST' && this.#worked
    if (first) this.#worked = false
    return first
  }

  loginWorked(): void {
    this.#failing = undefined
    this.#worked = true
  }

  /** It may be tried at once. */
  loginForgiven(): void {
    this.#failing = undefined
  }

  /** Why no connect may start now; undefined when one may. */
  refusal(now: number): StorageError | undefined {
    if (this.#failing !== undefined && now < this.#failing.until) return this.#failing.error
    return this.breaker.refusal()
  }

  /** True when there is none, or none that comes back soon. */
  get starving(): boolean {
    return transfersIn(this.connections) === this.connections.size
  }

  /** The idle connection used last, so that those not needed grow old. */
  takeIdle(use: Use, now: number): PooledConnection | undefined {
    let best: { pooled: PooledConnection; since: number } | undefined
    for (const pooled of this.connections) {
      if (pooled.state.kind !== 'idle') continue
      if (best === undefined || pooled.state.since >= best.since) best = { pooled, since: pooled.state.since }
    }
    if (best === undefined) return undefined
    best.pooled.state = { kind: 'lent', use, idleBefore: now - best.since }
    return best.pooled
  }

  closeIdle(matches: (idleSince: number) => boolean = () => true): void {
    for (const pooled of [...this.connections]) {
      if (pooled.state.kind === 'idle' && matches(pooled.state.since)) pooled.close()
    }
  }
}

export function lentIn(connections: Iterable<PooledConnection>): number {
  let count = 0
  for (const { state } of connections) if (state.kind === 'lent') count++
  return count
}

/** How many are lent to transfers. */
export function transfersIn(connections: Iterable<PooledConnection>): number {
  let count = 0
  for (const { state } of connections) if (state.kind === 'lent' && state.use === 'transfer') count++
  return count
}
