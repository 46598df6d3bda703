import { setTimeout as delay } from 'node:timers/promises'
import { LRUCache } from 'lru-cache'
import { RateLimiterMemory } from 'rate-limiter-flexible'
import { networkOf } from './network.js'

export interface ThrottleOptions {
  /** Seconds for which a wrong password counts. */
  readonly windowSeconds?: number
  /** Wrong passwords of one user from one network, of one network, and of one user from anywhere, per window. */
  readonly perUserAndNetwork?: number
  readonly perNetwork?: number
  readonly perUser?: number
  /** Waits that many milliseconds. */
  readonly wait?: (ms: number) => Promise<void>
}

export type Verdict = { readonly go: true } | { readonly go: false; readonly retryAfterSeconds: number }

const FIRST_DELAY = 100
const LONGEST_DELAY = 10_000
/** Attempts that wait at once: in all, and of one user from one network. */
const MAX_WAITING = 200
const MAX_WAITING_PER_PAIR = 10

/**
 * Slows guessing down: each wrong password doubles the wait of the next attempt of that user from that network (0.1 s to
 * 10 s); above the limits an attempt is refused unseen. A network from which a user has logged in before is only ever
 * slowed for that user, never refused by the limits: strangers cannot lock somebody out.
 */
export class Throttle {
  readonly #pair: RateLimiterMemory
  readonly #network: RateLimiterMemory
  readonly #user: RateLimiterMemory
  /** User and network of logins that succeeded. */
  readonly #trusted = new LRUCache<string, true>({ max: 10_000 })
  readonly #waitingPerPair = new Map<string, number>()
  readonly #wait: (ms: number) => Promise<void>
  #waiting = 0

  constructor(options: ThrottleOptions = {}) {
    const duration = options.windowSeconds ?? 900
    this.#pair = new RateLimiterMemory({ points: options.perUserAndNetwork ?? 10, duration })
    this.#network = new RateLimiterMemory({ points: options.perNetwork ?? 100, duration })
    this.#user = new RateLimiterMemory({ points: options.perUser ?? 100, duration })
    this.#wait = options.wait ?? ((ms) => delay(ms, undefined, { ref: false }))
  }

  /** Before a password is checked: waits as long as this attempt must, or refuses it. */
  async admit(user: string, address: string): Promise<Verdict> {
    const username = bounded(user)
    const network = networkOf(address)
    const pair = pairKey(username, network)
    const counted = await this.#pair.get(pair)
    if (!this.#trusted.has(pair)) {
      const limits = [
        [this.#pair, counted],
        [this.#network, await this.#network.get(network)],
        [this.#user, await this.#user.get(username)],
      ] as const
      for (const [limiter, state] of limits) {
        if (state && state.consumedPoints >= limiter.points) return refuse(state.msBeforeNext)
      }
    }
    const failures = counted?.consumedPoints ?? 0
    if (failures === 0) return { go: true }
    return this.#slowDown(pair, Math.min(FIRST_DELAY * 2 ** (failures - 1), LONGEST_DELAY))
  }

  async failed(user: string, address: string): Promise<void> {
    const username = bounded(user)
    const network = networkOf(address)
    await Promise.all([
      count(this.#pair, pairKey(username, network)),
      count(this.#network, network),
      count(this.#user, username),
    ])
  }

  async succeeded(user: string, address: string): Promise<void> {
    const pair = pairKey(bounded(user), networkOf(address))
    this.#trusted.set(pair, true)
    await this.#pair.delete(pair)
  }

  async #slowDown(pair: string, ms: number): Promise<Verdict> {
    const waiting = this.#waitingPerPair.get(pair) ?? 0
    if (this.#waiting >= MAX_WAITING || waiting >= MAX_WAITING_PER_PAIR) return refuse(LONGEST_DELAY)
    this.#waiting++
    this.#waitingPerPair.set(pair, waiting + 1)
    try {
      await this.#wait(ms)
      return { go: true }
    } finally {
      this.#waiting--
      const left = (this.#waitingPerPair.get(pair) ?? 1) - 1
      if (left === 0) this.#waitingPerPair.delete(pair)
      else this.#waitingPerPair.set(pair, left)
    }
  }
}

/** No user has a longer name: what strangers send does not fill the memory. */
function bounded(username: string): string {
  return username.slice(0, 65)
}

function pairKey(username: string, network: string): string {
  return `${network} ${username}`
}

function refuse(ms: number): Verdict {
  return { go: false, retryAfterSeconds: Math.max(1, Math.ceil(ms / 1000)) }
}

/** The limiter rejects with its state above the limit; the count is what matters here. */
async function count(limiter: RateLimiterMemory, key: string): Promise<void> {
  await limiter.consume(key).catch((error: unknown) => {
    if (error instanceof Error) throw error
  })
}
