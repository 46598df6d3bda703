import { LRUCache } from 'lru-cache'
import type { LoginWay } from './logins.js'
import { networkOf } from './network.js'
import type { Refused } from './authenticate.js'

export interface DriveAttempt {
  readonly address: string
  readonly userAgent: string
  /** As the program wrote it; undefined when it sent none. */
  readonly username: string | undefined
  readonly via?: LoginWay | undefined
  /** `missing`: asked without a password. `listing-too-long`: got a folder that Windows will not show. */
  readonly outcome: 'connected' | 'listing-too-long' | Refused['reason']
}

export interface SeenAttempt extends DriveAttempt {
  /** ms since the epoch */
  readonly at: number
}

/** Bytes of one listing that Windows takes, unless `FileAttributesLimitInBytes` says otherwise. */
export const WINDOWS_LISTING_LIMIT = 1_000_000

const KEPT = 15 * 60_000
const PROGRAMS = 5000
/** Of one network. */
const MAX_PER_NETWORK = 20

/**
 * What became of attempts to mount the drive, for the page that tells users whether their device has connected. In memory,
 * for a quarter of an hour; of each program only the last of each outcome.
 */
export class DriveAttempts {
  readonly #byNetwork: LRUCache<string, Map<string, SeenAttempt>>

  constructor(private readonly now: () => number = Date.now) {
    this.#byNetwork = new LRUCache({ max: PROGRAMS, ttl: KEPT, ttlResolution: 0, perf: { now }, updateAgeOnGet: true })
  }

  /** Cheap: for each request of a drive. */
  note(attempt: DriveAttempt): void {
    const { address, via, outcome } = attempt
    const known = this.#of(networkOf(address))
    const username = attempt.username?.slice(0, 64)
    const userAgent = attempt.userAgent.slice(0, 200)
    const key = `${username ?? ''}\n${userAgent}\n${outcome}`
    known.delete(key)
    known.set(key, { address, userAgent, username, via, outcome, at: this.now() })
    for (const oldest of known.keys()) {
      if (known.size <= MAX_PER_NETWORK) break
      known.delete(oldest)
    }
  }

  #of(network: string): Map<string, SeenAttempt> {
    const known = this.#byNetwork.get(network)
    if (known !== undefined) return known
    const made = new Map<string, SeenAttempt>()
    this.#byNetwork.set(network, made)
    return made
  }

  /** By this user, or by somebody who sent no name, from the network of `address` since `from`; the last one first. */
  of(username: string, address: string, from: number): SeenAttempt[] {
    const known = this.#byNetwork.peek(networkOf(address))?.values() ?? []
    const since = Math.max(from, this.now() - KEPT)
    return [...known]
      .filter((attempt) => attempt.at >= since && (attempt.username === undefined || attempt.username === username))
      .reverse()
  }
}
