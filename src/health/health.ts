export type HealthState = 'unknown' | 'up' | 'slow' | 'down' | 'disabled'

/** What is known of a server. */
export interface Health {
  readonly state: HealthState
  /** When it came into this state. */
  readonly since?: Date
  readonly lastOkAt?: Date
  /** Milliseconds of the last connect: with login, or until the greeting where nobody logged in. */
  readonly latencyMs?: number
  /** Why it is down: the code of a `StorageError`. */
  readonly reason?: string
}

/** Five minutes of a server. */
export interface HealthSample {
  /** When they began. */
  readonly at: Date
  /** The worst state of that time. */
  readonly state: HealthState
  /** Mean of that time; undefined when nobody connected. */
  readonly latencyMs?: number
}

/** From good to bad; what is known counts more than what is not. */
const BADNESS: readonly HealthState[] = ['unknown', 'disabled', 'up', 'slow', 'down']

export function worse(a: HealthState, b: HealthState): HealthState {
  return BADNESS.indexOf(a) > BADNESS.indexOf(b) ? a : b
}
