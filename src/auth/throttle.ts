import { setTimeout as delay } from 'node:timers/promises'
import { LRUCache } from 'lru-cache'
import { FailureCounter, type CounterRecord } from './failure-counter.js'
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

/** Everything that the throttle knows, for the next process. */
export interface ThrottleSnapshot {
  readonly counters: Readonly<Record<string, readonly CounterRecord[]>>
  readonly trusted: readonly string[]
}

const GO: Verdict = { go: true }
const FIRST_DELAY = 100
const LONGEST_DELAY = 10_000
/** Attempts that wait at once: in all, and of one user from one network. */
const MAX_WAITING = 200
const MAX_WAITING_PER_PAIR = 10

/** Wrong codes of one user from one network, and from anywhere. Two of a million codes are right at any time. */
const CODES = { points: 5, duration: 900 }
const CODES_PER_USER = { points: 20, duration: 86_400 }

/**
 * Slows guessing down, at every door: each wrong password doubles the wait of the next attempt of that user from that
 * network (0.1 s to 10 s); above the limits an attempt is refused unseen. A network from which a user has logged in before
 * is only ever slowed for that user, never refused by the limits: strangers cannot lock somebody out.
 *
 * Codes of a second factor have counters of their own, which a right password does not clear.
 */
export class Throttle {
  readonly #counters: Readonly<Record<'pair' | 'network' | 'user' | 'code' | 'codes', FailureCounter>>
  /** User and network of logins that succeeded. */
  readonly #trusted = new LRUCache<string, true>({ max: 10_000 })
  readonly #waitingPerPair = new Map<string, number>()
  readonly #wait: (ms: number) => Promise<void>
  #waiting = 0
  #changes = 0

  constructor(options: ThrottleOptions = {}) {
    const duration = options.windowSeconds ?? 900
    this.#counters = {
      pair: new FailureCounter({ points: options.perUserAndNetwork ?? 10, duration }),
      network: new FailureCounter({ points: options.perNetwork ?? 100, duration }),
      user: new FailureCounter({ points: options.perUser ?? 100, duration }),
      code: new FailureCounter(CODES),
      codes: new FailureCounter(CODES_PER_USER),
    }
    this.#wait = options.wait ?? ((ms) => delay(ms, undefined, { ref: false }))
  }

  /** Grows with whatever a snapshot would tell. */
  get changes(): number {
    return this.#changes
  }

  /**
   * Before a password is checked: waits as long as this attempt must, or refuses it.
   * @param user undefined: a token, which says no name
   */
  async admit(user: string | undefined, address: string): Promise<Verdict> {
    const network = networkOf(address)
    if (user === undefined) return this.#refusal([[this.#counters.network, network]])
    const username = bounded(user)
    const pair = pairKey(username, network)
    if (!this.#trusted.has(pair)) {
      const verdict = await this.#refusal([
        [this.#counters.pair, pair],
        [this.#counters.network, network],
        [this.#counters.user, username],
      ])
      if (!verdict.go) return verdict
    }
    const failures = await this.#counters.pair.failures(pair)
    if (failures === 0) return GO
    return this.#slowDown(pair, Math.min(FIRST_DELAY * 2 ** (failures - 1), LONGEST_DELAY))
  }

  async failed(user: string | undefined, address: string): Promise<void> {
    this.#changes++
    const network = networkOf(address)
    await this.#counters.network.add(network)
    if (user === undefined) return
    await this.#counters.pair.add(pairKey(bounded(user), network))
    await this.#counters.user.add(bounded(user))
  }

  async succeeded(user: string, address: string): Promise<void> {
    const pair = pairKey(bounded(user), networkOf(address))
    const known = this.#trusted.has(pair) && (await this.#counters.pair.failures(pair)) === 0
    this.#trusted.set(pair, true)
    if (known) return
    this.#changes++
    await this.#counters.pair.forget(pair)
  }

  /** Before the code of a second factor is checked. */
  async admitCode(userId: number, address: string): Promise<Verdict> {
    const network = networkOf(address)
    const code = codeKey(userId, network)
    const verdict = await this.#refusal([[this.#counters.code, code]])
    if (!verdict.go || this.#trusted.has(code)) return verdict
    return this.#refusal([
      [this.#counters.codes, String(userId)],
      [this.#counters.network, network],
    ])
  }

  async failedCode(userId: number, address: string): Promise<void> {
    this.#changes++
    const network = networkOf(address)
    await this.#counters.code.add(codeKey(userId, network))
    await this.#counters.codes.add(String(userId))
    await this.#counters.network.add(network)
  }

  async succeededCode(userId: number, address: string): Promise<void> {
    this.#changes++
    const code = codeKey(userId, networkOf(address))
    this.#trusted.set(code, true)
    await this.#counters.code.forget(code)
  }

  /** @param max of each kind */
  async snapshot(max: number): Promise<ThrottleSnapshot> {
    const counters: Record<string, readonly CounterRecord[]> = {}
    for (const [name, counter] of Object.entries(this.#counters)) counters[name] = await counter.snapshot(max)
    return { counters, trusted: [...this.#trusted.keys()].slice(0, max).reverse() }
  }

  async restore({ counters, trusted }: ThrottleSnapshot): Promise<void> {
    for (const [name, counter] of Object.entries(this.#counters)) await counter.restore(counters[name] ?? [])
    for (const pair of trusted) this.#trusted.set(pair, true)
  }

  async #refusal(limits: readonly (readonly [FailureCounter, string])[]): Promise<Verdict> {
    for (const [counter, key] of limits) {
      const ms = await counter.refusedFor(key)
      if (ms !== undefined) return refuse(ms)
    }
    return GO
  }

  async #slowDown(pair: string, ms: number): Promise<Verdict> {
    const waiting = this.#waitingPerPair.get(pair) ?? 0
    if (this.#waiting >= MAX_WAITING || waiting >= MAX_WAITING_PER_PAIR) return refuse(LONGEST_DELAY)
    this.#waiting++
    this.#waitingPerPair.set(pair, waiting + 1)
    try {
      await this.#wait(ms)
      return GO
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

/** No username begins so. */
function codeKey(userId: number, network: string): string {
  return `${network} #${userId}`
}

function refuse(ms: number): Verdict {
  return { go: false, retryAfterSeconds: Math.max(1, Math.ceil(ms / 1000)) }
}
