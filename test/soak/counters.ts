import type { Answer } from '../faults/lab/http-client.js'
import type { Station } from '../faults/lab/rig.js'
import { bodyFor, labelOf } from './body.js'
import type { Judge, Turn } from './judge.js'

const NAME = 'counter.bin'
const SIZE = 512

/**
 * A number in a file of every login, which all its users raise by `If-Match`: whoever was told that it worked must have
 * been the only one.
 */
export class Counters {
  readonly #counts = new Map<Station, { acknowledged: number; unknown: number }>()

  constructor(private readonly judge: Judge) {}

  async raise(turn: Turn): Promise<void> {
    const { station } = turn
    const counts = this.#counts.get(station) ?? { acknowledged: 0, unknown: 0 }
    this.#counts.set(station, counts)
    const read = await this.judge.ask(turn, 'GET', NAME)
    if (!this.judge.good({ ...turn, kind: 'GET' }, read, [200, 404])) return
    const value = this.#valueOf(station, read)
    const etag = read.headers['etag']
    const condition: Record<string, string> = value === 0 ? { 'If-None-Match': '*' } : { 'If-Match': String(etag) }
    const body = bodyFor({ path: `${station.alias}/${NAME}`, version: value + 1, writer: `user${turn.user}` }, SIZE)
    const answer = await this.judge.ask(turn, 'PUT', NAME, { body, headers: condition })
    const good = this.judge.good({ ...turn, due: performance.now() - answer.ms }, answer, [201, 204, 412])
    if (good && answer.status !== 412) counts.acknowledged++
    else if (!good && (!answer.whole || Number(answer.status) >= 500)) counts.unknown++
  }

  /** @returns the increments that were acknowledged */
  async finish(userOf: (station: Station) => number): Promise<number> {
    let sum = 0
    for (const [station, { acknowledged, unknown }] of this.#counts) {
      const value = this.#valueOf(station, await this.judge.ask({ user: userOf(station), station }, 'GET', NAME))
      if (value < acknowledged || value > acknowledged + unknown) {
        const told = `${acknowledged} increments acknowledged and ${unknown} unknown`
        this.judge.violation(`${station.alias}/${NAME} stands at ${value} after ${told}`)
      }
      sum += acknowledged
    }
    return sum
  }

  #valueOf({ alias }: Station, { status, body }: Answer): number {
    if (status === 404) return 0
    const version = labelOf(body)?.version
    if (version === undefined) this.judge.violation(`${alias}/${NAME} is torn`)
    return version ?? 0
  }
}
