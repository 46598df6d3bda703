import { setTimeout as delay } from 'node:timers/promises'
import { ask, type Answer } from '../faults/lab/http-client.js'
import type { Ask, Station } from '../faults/lab/rig.js'
import { PASSWORD } from '../support/drive.js'
import type { Random } from './random.js'
import type { Strain } from './strain.js'
import type { Tally } from './tally.js'
import type { Troubles } from './troubles.js'

/** One request of the load. */
export interface Turn {
  readonly kind: string
  /** When it should have begun: whatever comes after counts, so that a stall cannot hide. */
  readonly due: number
  readonly user: number
  readonly station: Station
  readonly random: Random
  /** To be given up on purpose somewhere on the way. */
  readonly abort: boolean
}

/** Longer than all deadlines together: a request that takes so long hangs. */
const HANGS = 240_000
/** Milliseconds of strain from which on deadlines prove nothing. */
const STRAINED = 3_000
/** ms; an answer that came sooner met no deadline. */
const SHORTEST_DEADLINE = 9_000
/** What a fault may become. Never 500: that one is a mistake of ours. */
const OF_A_FAULT = new Set<Answer['status']>([502, 503, 504, 'cut'])
/** What a server that refuses for no reason may be taken to mean. */
const OF_A_REFUSAL = new Set<Answer['status']>([403, 404, 405, 409, 507])
const OF_STRAIN = new Set<Answer['status']>([408, 503, 504, 'cut'])

/** Asks for the load, and believes no answer that neither went well nor is explained. */
export class Judge {
  readonly violations: string[] = []

  constructor(
    readonly tally: Tally,
    private readonly troubles: Troubles,
    private readonly strain: Strain,
  ) {}

  ask(
    { user, station }: Pick<Turn, 'user' | 'station'>,
    method: string,
    name: string,
    more: Ask = {},
  ): Promise<Answer> {
    const asked = ask({ method, url: station.url(name), auth: authOf(user), ...more })
    return this.inTime(`${method} ${station.alias}/${name}`, asked)
  }

  askGateway({ user, station }: Pick<Turn, 'user' | 'station'>, path: string): Promise<Answer> {
    const url = new URL(path, station.url()).href
    return this.inTime(path, ask({ method: 'GET', url, auth: authOf(user) }))
  }

  /** @throws Error when nothing comes of it */
  async inTime<T>(what: string, work: Promise<T>): Promise<T> {
    const done = new AbortController()
    try {
      const late = delay(HANGS, undefined, { signal: done.signal }).then(() => {
        throw new Error(`${what} hangs`)
      })
      return await Promise.race([work, late])
    } finally {
      done.abort()
    }
  }

  /** Whether the answer is one of a request that went well; else it is explained or a violation. */
  good(
    { kind, due, station }: Pick<Turn, 'kind' | 'due' | 'station'>,
    answer: Answer,
    wanted: readonly number[],
  ): boolean {
    const { tally } = this
    const now = performance.now()
    const status = answer.whole ? answer.status : 'cut'
    if (status !== 'cut' && wanted.includes(status)) {
      tally.ok(kind, now - due)
      return true
    }
    const trouble = this.troubles.explaining(station, now - answer.ms, now)
    if (trouble !== undefined && (OF_A_FAULT.has(status) || (trouble.refuses && OF_A_REFUSAL.has(status)))) {
      tally.count(kind, 'by a fault')
    } else if (
      OF_STRAIN.has(status) &&
      answer.ms > SHORTEST_DEADLINE &&
      this.strain.within(now - answer.ms, now) > STRAINED
    ) {
      tally.count(kind, 'machine')
    } else {
      const text = answer.body.toString('utf8', 0, 200)
      const times = `${new Date(Date.now() - answer.ms).toISOString()} + ${Math.round(answer.ms)} ms`
      tally.surprise(
        kind,
        `${kind} on ${station.alias}, ${times}: ${status} ${text}; before: ${this.troubles.last(station, now)}`,
      )
    }
    return false
  }

  violation(what: string): void {
    this.violations.push(what)
  }
}

export function authOf(user: number): string {
  return `user${user}:${PASSWORD}`
}
