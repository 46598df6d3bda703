import path from 'node:path'
import sqlite3 from 'sqlite3'
import { grown, holdingsAtRest, holdingsOf, inWords, mb, type Holdings } from '../faults/lab/holdings.js'
import type { Rig } from '../faults/lab/rig.js'
import { eventually, temporaryFilesIn } from '../support/upload.js'
import { lineThrough } from './line.js'

/** Seconds after the load in which everything must be given back. */
const BACK_WITHIN = 60
/** Bytes of heap that a run may add at rest, what is cached for good: rendered listings are 16 MiB, listings themselves up to ten. */
const HEAP_AT_REST = 40 * 1024 * 1024
const HEAP_PER_TEN_MINUTES = 1024 * 1024
/** ms; a line through fewer points says more about the garbage collector than about leaks. Runs of 16 minutes have it. */
const WORTH_A_SLOPE = 8 * 60_000

interface Sample extends Holdings {
  /** ms since the load began. */
  readonly at: number
}

/** Section 7.5 of the reliability notes: samples under load, and the state before and after. */
export class Leaks {
  readonly #samples: Sample[] = []

  private constructor(
    private readonly rig: Rig,
    private readonly before: Holdings,
    private readonly rows: Readonly<Record<string, number>>,
    private readonly sessions: number,
    private readonly pid: number,
  ) {}

  /** @param rig at rest soon */
  static async from(rig: Rig): Promise<Leaks> {
    return new Leaks(rig, await holdingsAtRest(rig), await rowsOf(rig), sessionsOn(rig), rig.gateway.pid)
  }

  async sample(at: number): Promise<void> {
    this.#samples.push({ ...(await holdingsOf(this.rig.gateway)), at })
  }

  /**
   * Of the process that had the load, when that is over.
   *
   * @returns what was not given back, and what was measured, in words
   */
  async judge(): Promise<{ violations: string[]; report: string[] }> {
    const violations = this.#slopes()
    if (this.rig.gateway.pid !== this.pid) violations.push('the gateway is another process than before the load')
    let after = this.before
    const left = await whatStays(async () => {
      after = await holdingsAtRest(this.rig)
      const found = [...grown(this.before, after, HEAP_AT_REST), ...(await this.#remains())]
      const sessions = sessionsOn(this.rig)
      if (sessions > this.sessions) found.push(`${sessions} processes of sessions on the servers`)
      return found
    })
    violations.push(...left.map((what) => `leak, ${BACK_WITHIN} s after the load: ${what}`))
    const most = (name: keyof Holdings) => Math.max(...this.#samples.map((sample) => sample[name]), 0)
    return {
      violations,
      report: [
        `under load at most: ${most('fds')} fds, ${most('pooled')} pooled connections, ${most('timers')} timers, ` +
          `${mb(most('heapUsed'))} heap, ${mb(most('rss'))} RSS`,
        `at rest before the first kill, before > after: ${inWords(this.before, after)}`,
        ...this.#slopeTexts(),
      ],
    }
  }

  /** What the process before a kill left and the one after it did not clean up. */
  async leftBehind(): Promise<string[]> {
    const left = await whatStays(() => this.#remains())
    return left.map((what) => `left, ${BACK_WITHIN} s after the kills: ${what}`)
  }

  /** Rows and temporary files of transfers that are over. */
  async #remains(): Promise<string[]> {
    const found: string[] = []
    for (const [table, count] of Object.entries(await rowsOf(this.rig))) {
      if (count > (this.rows[table] ?? 0)) found.push(`${count} rows in ${table}`)
    }
    for (const { alias, home } of this.rig.stations) {
      const files = await temporaryFilesIn(home)
      if (files.length > 0) found.push(`${alias} keeps ${files.join(', ')}`)
    }
    return found
  }

  /** Samples without the first third. */
  #later(): readonly Sample[] {
    const until = this.#samples.at(-1)?.at ?? 0
    return this.#samples.filter(({ at }) => at > until / 3)
  }

  /** In ten minutes. `sure` is what is no chance: a busy machine has its ups and downs. */
  #growth(name: 'heapUsed' | 'fds'): { likely: number; sure: number } {
    const { slope, error } = lineThrough(this.#later().map((sample) => [sample.at, sample[name]]))
    return { likely: slope * 600_000, sure: (slope - 3 * error) * 600_000 }
  }

  get #longEnough(): boolean {
    const later = this.#later()
    return (later.at(-1)?.at ?? 0) - (later[0]?.at ?? 0) >= WORTH_A_SLOPE
  }

  #slopes(): string[] {
    if (!this.#longEnough) return []
    const found: string[] = []
    const heap = this.#growth('heapUsed').sure
    if (heap > HEAP_PER_TEN_MINUTES) found.push(`leak: the heap grows by at least ${mb(heap)} in ten minutes`)
    const fds = this.#growth('fds').sure
    if (fds > 5) found.push(`leak: at least ${fds.toFixed(1)} more file descriptors in ten minutes`)
    return found
  }

  #slopeTexts(): string[] {
    if (!this.#longEnough) return []
    const [heap, fds] = [this.#growth('heapUsed'), this.#growth('fds')]
    return [
      `per ten minutes: heap ${mb(heap.likely)} (surely ${mb(heap.sure)}), ` +
        `fds ${fds.likely.toFixed(1)} (surely ${fds.sure.toFixed(1)})`,
    ]
  }

  logged(): string[] {
    const found: string[] = []
    for (const line of this.rig.gateway.log.split('\n')) {
      if (/"level":(50|60)|MaxListenersExceeded/.test(line)) found.push(`log: ${line.slice(0, 400)}`)
      if (/-secret/.test(line)) found.push('log: a password')
    }
    return found
  }
}

/** @returns what is found again and again until the time is over, or why nobody can tell */
async function whatStays(find: () => Promise<string[]>): Promise<string[]> {
  let left: string[] = []
  const gone = async () => (left = await find()).length === 0
  try {
    await eventually('back where it was', BACK_WITHIN, gone)
    return []
  } catch (error) {
    return left.length > 0 ? left : [String(error)]
  }
}

/** Rows that requests make and that must go with them. */
async function rowsOf({ gateway }: Rig): Promise<Record<string, number>> {
  const file = path.join(gateway.folder, 'data/ftpcluster.sqlite')
  const database = new sqlite3.Database(file, sqlite3.OPEN_READONLY)
  const count = (table: string) =>
    new Promise<number>((resolve, reject) => {
      database.get<{ n: number }>(`SELECT count(*) AS n FROM ${table}`, (error, row) =>
        error ? reject(error) : resolve(row.n),
      )
    })
  try {
    return { upload_journal: await count('upload_journal'), sessions: await count('sessions') }
  } finally {
    await new Promise((resolve) => database.close(resolve))
  }
}

function sessionsOn({ stations }: Rig): number {
  const daemons = new Set(stations.map(({ daemon }) => daemon))
  return [...daemons].reduce((sum, daemon) => sum + daemon.sessions().length, 0)
}
