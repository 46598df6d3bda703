import type { AccountPool, PooledConnection } from './account-pool.js'
import type { Use } from './account.js'
import type { Clock } from './clock.js'
import { StorageError } from './errors.js'
import type { PoolLimits } from './pool-limits.js'

export interface Waiter {
  readonly pool: AccountPool
  readonly use: Use
  /** Waited its time; stays only for the connect that is under way. */
  readonly overdue: boolean
}

interface Place extends Waiter {
  overdue: boolean
  /** Has left the line. */
  gone: boolean
  settle(outcome: { pooled: PooledConnection } | { error: StorageError }): void
}

/** Those who wait for a connection to one server, first come first. Bounded in length and in time. */
export class WaitingLine {
  /** No Set: see `Slots`. */
  readonly #places: Place[] = []

  constructor(
    private readonly clock: Clock,
    private readonly limits: Pick<PoolLimits, 'wait' | 'queue'>,
  ) {}

  /** @throws BUSY when too many wait or nothing came free in time, ABORTED, and what `reject` is given */
  join(pool: AccountPool, use: Use, signal: AbortSignal | undefined): Promise<PooledConnection> {
    if (signal?.aborted === true) return Promise.reject(aborted())
    if (pool.waiting >= this.limits.queue) return Promise.reject(this.#busy('Too many requests wait for the server.'))
    return new Promise((resolve, reject) => {
      const onAbort = (): void => place.settle({ error: aborted() })
      const cancelTimer = this.clock.after(this.limits.wait, () => this.#expire(place))
      const place: Place = {
        pool,
        use,
        overdue: false,
        gone: false,
        settle: (outcome) => {
          if (place.gone) return
          place.gone = true
          this.#places.splice(this.#places.indexOf(place), 1)
          pool.waiting--
          cancelTimer()
          signal?.removeEventListener('abort', onAbort)
          if ('error' in outcome) reject(outcome.error)
          else resolve(outcome.pooled)
        },
      }
      this.#places.push(place)
      pool.waiting++
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  /** Calls `offer` for each in turn; who is offered a connection leaves the line with it. */
  offer(offer: (waiter: Waiter) => PooledConnection | undefined): void {
    for (const place of [...this.#places]) {
      if (place.gone) continue
      const pooled = offer(place)
      if (pooled !== undefined) place.settle({ pooled })
    }
  }

  reject(matches: (waiter: Waiter) => boolean, error: StorageError): void {
    for (const place of [...this.#places]) if (matches(place)) place.settle({ error })
  }

  /** A connect of `pool` ended without one for everybody: who was only waiting for it has waited enough. */
  rejectOverdue(pool: AccountPool, error = this.#noneCameFree()): void {
    this.reject((waiter) => waiter.pool === pool && waiter.overdue, error)
  }

  get size(): number {
    return this.#places.length
  }

  #expire(place: Place): void {
    if (place.pool.connecting !== undefined) place.overdue = true
    else place.settle({ error: this.#noneCameFree() })
  }

  #noneCameFree(): StorageError {
    return this.#busy('No connection to the server came free in time.')
  }

  #busy(message: string): StorageError {
    return new StorageError('BUSY', message, { retryAfterSeconds: Math.max(1, Math.ceil(this.limits.wait / 1_000)) })
  }
}

function aborted(): StorageError {
  return new StorageError('ABORTED', 'The request ended before a connection came free.', { inStep: true })
}
