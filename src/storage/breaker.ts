import type { ServerState } from './account.js'
import type { Clock } from './clock.js'
import { StorageError } from './errors.js'
import type { PoolLimits } from './pool-limits.js'

type State =
  | { readonly kind: 'closed'; readonly upSince: number | undefined; readonly failures: number }
  | { readonly kind: 'open'; readonly fault: Fault; readonly retryAt: number }
  /** One connect is under way to see whether the server is back. */
  | { readonly kind: 'half-open'; readonly fault: Fault }

interface Fault {
  readonly since: number
  readonly error: StorageError
  /** The current pause in ms, without jitter. */
  readonly pause: number
}

/**
 * Keeps a server that fails from being asked again and again. Opens after consecutive failed connects, or at once when the
 * server is not the one that is trusted; then lets exactly one connect through after each of a row of growing pauses.
 */
export class Breaker {
  #state: State = { kind: 'closed', upSince: undefined, failures: 0 }

  constructor(
    private readonly clock: Clock,
    private readonly limits: Pick<PoolLimits, 'breakerFailures' | 'breakerPause' | 'breakerMaxPause'>,
    private readonly random: () => number,
  ) {}

  /** Why no connect may start now; undefined when one may. */
  refusal(): StorageError | undefined {
    const state = this.#state
    switch (state.kind) {
      case 'closed':
        return undefined
      case 'half-open':
        return refusalFor(state.fault, 1_000)
      case 'open': {
        const left = state.retryAt - this.clock.now()
        return left > 0 ? refusalFor(state.fault, left) : undefined
      }
    }
  }

  /** A connect starts; only after `refusal()` had nothing against it. */
  begin(): void {
    if (this.#state.kind === 'open') this.#state = { kind: 'half-open', fault: this.#state.fault }
  }

  /** The server answered as itself, whatever it said about the login. @returns true when it had been down */
  succeeded(): boolean {
    const state = this.#state
    const upSince = state.kind === 'closed' ? state.upSince : undefined
    this.#state = { kind: 'closed', upSince: upSince ?? this.clock.now(), failures: 0 }
    return state.kind !== 'closed'
  }

  /** A connect failed by the server's fault. @returns true when this opened the breaker */
  failed(error: StorageError): boolean {
    const state = this.#state
    const now = this.clock.now()
    switch (state.kind) {
      case 'closed': {
        const failures = state.failures + 1
        if (failures < this.limits.breakerFailures && error.code !== 'UNTRUSTED') {
          this.#state = { ...state, failures }
          return false
        }
        this.#open({ since: now, error, pause: this.limits.breakerPause })
        return true
      }
      case 'half-open': {
        const pause = Math.min(state.fault.pause * 2, this.limits.breakerMaxPause)
        this.#open({ since: state.fault.since, error, pause })
        return false
      }
      case 'open':
        // A connect that began before the breaker opened: its failure says nothing new.
        return false
    }
  }

  /** A connect ended without telling anything about the server. */
  inconclusive(): void {
    const state = this.#state
    if (state.kind === 'half-open') this.#state = { kind: 'open', fault: state.fault, retryAt: this.clock.now() }
  }

  get state(): ServerState {
    const state = this.#state
    switch (state.kind) {
      case 'closed':
        return state.upSince === undefined ? { state: 'unknown' } : { state: 'up', since: state.upSince }
      case 'half-open':
        return down(state.fault, this.clock.now())
      case 'open':
        return down(state.fault, state.retryAt)
    }
  }

  #open(fault: Fault): void {
    // Spread by a quarter either way, so that several gateways do not knock together.
    const pause = Math.min(fault.pause * (0.75 + this.random() / 2), this.limits.breakerMaxPause)
    this.#state = { kind: 'open', fault, retryAt: this.clock.now() + pause }
  }
}

function refusalFor({ error }: Fault, left: number): StorageError {
  if (error.code === 'UNTRUSTED') return new StorageError('UNTRUSTED', error.message, { cause: error })
  return new StorageError('UNAVAILABLE', 'The server failed lately and is not asked again yet.', {
    cause: error,
    retryAfterSeconds: Math.ceil(left / 1_000),
  })
}

function down({ since, error }: Fault, retryAt: number): ServerState {
  return { state: 'down', since, reason: error.message, retryAt }
}
