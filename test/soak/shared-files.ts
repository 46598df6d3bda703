import type { Answer } from '../faults/lab/http-client.js'
import type { Station } from '../faults/lab/rig.js'
import { upload } from '../support/upload.js'
import { bodyFor, labelOf } from './body.js'
import { History, type Write } from './history.js'
import { authOf, type Judge, type Turn } from './judge.js'
import { below, bodySize } from './random.js'

const FILES = 8

/** Files that all users of a login read and overwrite, judged by what everybody saw. */
export class SharedFiles {
  readonly #histories = new Map<Station, Map<string, History>>()
  #version = 0

  constructor(private readonly judge: Judge) {}

  /** Few files get most of the requests. */
  #one({ station, random }: Turn): History {
    const name = `shared-${Math.floor(FILES ** random()) - 1}.bin`
    let here = this.#histories.get(station)
    if (here === undefined) this.#histories.set(station, (here = new Map<string, History>()))
    let history = here.get(name)
    if (history === undefined) here.set(name, (history = new History(`${station.alias}/${name}`)))
    return history
  }

  async get(turn: Turn): Promise<void> {
    const history = this.#one(turn)
    const { random, abort, station } = turn
    const start = performance.now()
    if (abort) {
      const at = below(random, 100_000)
      await this.judge.ask(turn, 'GET', nameOf(history), { onBytes: (bytes, cut) => (bytes > at ? cut() : undefined) })
      this.judge.tally.count(turn.kind, 'aborted')
      return
    }
    const answer = await this.judge.ask(turn, 'GET', nameOf(history))
    if (this.judge.good(turn, answer, [200, 404])) this.#saw(history, station, answer, start)
  }

  async put(turn: Turn): Promise<void> {
    const history = this.#one(turn)
    const { random, station, user, abort } = turn
    const version = ++this.#version
    const body = bodyFor({ path: history.path, version, writer: `user${user}` }, bodySize(random))
    const write = history.begin(version, performance.now())
    if (abort) {
      // Never all of it, so that it must not appear.
      const pauseAt = { bytes: below(random, body.length - 1), then: (cut: () => void) => cut() }
      const cut = upload({ url: station.url(nameOf(history)), auth: authOf(user), body, pauseAt })
      await this.judge.inTime(`PUT ${history.path}`, cut)
      Object.assign(write, { end: performance.now(), outcome: 'failed' })
      this.judge.tally.count(turn.kind, 'aborted')
      return
    }
    const answer = await this.judge.ask(turn, 'PUT', nameOf(history), { body })
    settle(write, answer)
    this.judge.good(turn, answer, [201, 204])
  }

  /** Reads every file once more, when all is calm, and judges. @returns how much was judged */
  async finish(userOf: (station: Station) => number): Promise<{ files: number; writes: number; reads: number }> {
    const sum = { files: 0, writes: 0, reads: 0 }
    for (const [station, histories] of this.#histories) {
      for (const history of histories.values()) {
        const start = performance.now()
        const answer = await this.judge.ask({ user: userOf(station), station }, 'GET', nameOf(history))
        if (answer.whole && (answer.status === 200 || answer.status === 404)) this.#saw(history, station, answer, start)
        else this.judge.violation(`${history.path}: ${answer.status} at the end`)
        for (const wrong of history.violations()) this.judge.violation(wrong)
        sum.files++
        sum.writes += history.writes.length
        sum.reads += history.reads.length
      }
    }
    return sum
  }

  #saw(history: History, { alias }: Station, answer: Answer, start: number): void {
    const end = performance.now()
    const label = answer.status === 200 ? labelOf(answer.body) : undefined
    if (answer.status === 200 && label?.path !== history.path) {
      this.judge.violation(
        `${alias}: ${history.path} is torn: ${answer.body.length} bytes, ${label?.path ?? 'not whole'}`,
      )
    } else history.reads.push({ start, end, version: label?.version })
  }
}

function nameOf({ path }: History): string {
  return path.slice(path.indexOf('/') + 1)
}

function settle(write: Write, { status, whole }: Answer): void {
  write.end = performance.now()
  if (whole && (status === 201 || status === 204)) write.outcome = 'ok'
  // A refusal before anything was done; whatever failed on the way to the server may have happened.
  else if (whole && status !== 'cut' && status < 500) write.outcome = 'failed'
  else write.outcome = 'unknown'
}
