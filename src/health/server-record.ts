import { worse, type Health, type HealthSample, type HealthState } from './health.js'

/** How long the failure of a whole login outweighs a server that greets, ms. */
const DEEP_FAILURE = 15 * 60_000

/** What is known of one server, and the sample that is being taken. */
export class ServerRecord {
  #state: HealthState = 'unknown'
  #since: number
  #lastOkAt: number | undefined
  #latency: number | undefined
  #reason: string | undefined
  /** Until then only a login says that the server is back. */
  #deepUntil = -Infinity
  #worst: HealthState = 'unknown'
  #measured = { count: 0, sum: 0 }

  constructor(
    private readonly slowAfter: number,
    now: number,
  ) {
    this.#since = now
  }

  /** It answered. @param latency ms; undefined when it did but refused the login */
  ok(now: number, latency: number | undefined, { greetingOnly = false } = {}): void {
    if (greetingOnly && this.#state === 'down' && now < this.#deepUntil) return
    this.#deepUntil = -Infinity
    this.#lastOkAt = now
    this.#reason = undefined
    if (latency !== undefined) {
      this.#latency = latency
      this.#measured = { count: this.#measured.count + 1, sum: this.#measured.sum + latency }
    }
    this.#enter((latency ?? this.#latency ?? 0) > this.slowAfter ? 'slow' : 'up', now)
  }

  /** @param deep it may greet all the same: it is not the one that is trusted, or breaks off later */
  failed(now: number, reason: string, deep: boolean): void {
    this.#reason = reason
    if (deep) this.#deepUntil = now + DEEP_FAILURE
    this.#enter('down', now)
  }

  get(enabled: boolean): Health {
    if (!enabled) return { state: 'disabled' }
    if (this.#state === 'unknown') return { state: 'unknown' }
    return {
      state: this.#state,
      since: new Date(this.#since),
      ...(this.#lastOkAt !== undefined && { lastOkAt: new Date(this.#lastOkAt) }),
      ...(this.#latency !== undefined && { latencyMs: Math.round(this.#latency) }),
      ...(this.#reason !== undefined && { reason: this.#reason }),
    }
  }

  /** The sample of the time that began at `at`, as far as it has gone. */
  sample(at: number, enabled: boolean): HealthSample {
    const { count, sum } = this.#measured
    const state = enabled ? worse(this.#worst, this.#state) : 'disabled'
    return { at: new Date(at), state, ...(count > 0 && { latencyMs: Math.round(sum / count) }) }
  }

  /** The next sample begins. */
  beginSample(): void {
    this.#worst = this.#state
    this.#measured = { count: 0, sum: 0 }
  }

  #enter(state: HealthState, now: number): void {
    if (state !== this.#state) {
      this.#state = state
      this.#since = now
    }
    this.#worst = worse(this.#worst, state)
  }
}
