import { LRUCache } from 'lru-cache'
import { RateLimiterMemory } from 'rate-limiter-flexible'

export interface CounterOptions {
  /** As many failures are let through. */
  readonly points: number
  /** Seconds from the first failure until all are forgotten. */
  readonly duration: number
  /** Keys kept at most; the least recently counted one goes first. */
  readonly max?: number
}

/** A key, how often it failed, and when that is forgotten, ms since the epoch. */
export type CounterRecord = readonly [key: string, failures: number, until: number]

/** Failures per key, in a bounded memory. */
export class FailureCounter {
  readonly #limiter: RateLimiterMemory
  readonly #keys: LRUCache<string, true>

  constructor(private readonly options: CounterOptions) {
    this.#limiter = new RateLimiterMemory({ points: options.points, duration: options.duration })
    this.#keys = new LRUCache({
      max: options.max ?? 20_000,
      dispose: (_value, key, reason) => {
        if (reason === 'evict') void this.#limiter.delete(key)
      },
    })
  }

  async failures(key: string): Promise<number> {
    return (await this.#limiter.get(key))?.consumedPoints ?? 0
  }

  /** Milliseconds until the key is let through again; undefined while it is. */
  async refusedFor(key: string): Promise<number | undefined> {
    const state = await this.#limiter.get(key)
    return state && state.consumedPoints >= this.options.points ? state.msBeforeNext : undefined
  }

  async add(key: string): Promise<void> {
    this.#keys.set(key, true)
    // The limiter rejects with its state above the limit; the count is what matters here.
    await this.#limiter.consume(key).catch((error: unknown) => {
      if (error instanceof Error) throw error
    })
  }

  async forget(key: string): Promise<void> {
    this.#keys.delete(key)
    await this.#limiter.delete(key)
  }

  /** @param max the last counted ones */
  async snapshot(max: number): Promise<CounterRecord[]> {
    const now = Date.now()
    const records: CounterRecord[] = []
    for (const key of [...this.#keys.keys()].slice(0, max)) {
      const state = await this.#limiter.get(key)
      if (state && state.msBeforeNext > 0) records.push([key, state.consumedPoints, now + state.msBeforeNext])
    }
    return records.reverse()
  }

  /** What an earlier process counted. */
  async restore(records: readonly CounterRecord[]): Promise<void> {
    const now = Date.now()
    for (const [key, failures, until] of records) {
      const seconds = Math.min((until - now) / 1000, this.options.duration)
      if (seconds <= 0) continue
      this.#keys.set(key, true)
      await this.#limiter.set(key, failures, seconds)
    }
  }
}
