import { setTimeout as delay } from 'node:timers/promises'
import type { Answer } from '../faults/lab/http-client.js'
import type { Station } from '../faults/lab/rig.js'
import { bodyFor, labelOf } from './body.js'
import type { Judge, Turn } from './judge.js'
import { below, pick, type Random } from './random.js'
import type { Troubles } from './troubles.js'
import { Worlds } from './worlds.js'

const FILES = 12
/** ms after a fault in which what was on its way may still happen. */
const STRAGGLES = 12_000
/** Seconds after all is calm in which what a fault left half done must be put right. */
const HEALED_WITHIN = 60

/** What one user has in a folder of its own on one server: nobody else touches it, one request at a time. */
interface Corner {
  readonly user: number
  readonly station: Station
  readonly folder: string
  readonly worlds: Worlds
  busy: boolean
  made: boolean
}

/** PUT, MOVE, COPY, DELETE and MKCOL where the outcome is known exactly, or is one of two. */
export class OwnFiles {
  readonly #corners = new Map<string, Corner>()
  #version = 0
  changes = 0

  constructor(
    private readonly judge: Judge,
    private readonly troubles: Troubles,
  ) {}

  async act(turn: Turn): Promise<void> {
    const corner = this.#cornerOf(turn)
    if (corner.busy) return
    corner.busy = true
    try {
      if (!corner.made) {
        const answer = await this.judge.ask(turn, 'MKCOL', corner.folder)
        corner.made = this.judge.good({ ...turn, kind: 'MKCOL' }, answer, [201, 405])
      } else if (corner.worlds.sure) await this.#change(turn, corner)
      else await this.#look(turn, corner, false)
    } finally {
      corner.busy = false
    }
  }

  /** Looks at everything, when all is calm. */
  async finish(): Promise<void> {
    for (const corner of this.#corners.values()) if (corner.made) await this.#look(corner, corner, true)
  }

  #cornerOf({ user, station }: Turn): Corner {
    const key = `${user} ${station.alias}`
    let corner = this.#corners.get(key)
    if (corner === undefined) {
      corner = { user, station, folder: `user${user}`, worlds: new Worlds(), busy: false, made: false }
      this.#corners.set(key, corner)
    }
    return corner
  }

  async #change(turn: Turn, corner: Corner): Promise<void> {
    const { random, station } = turn
    const { worlds } = corner
    const name = nameIn(corner, random)
    const other = nameIn(corner, random)
    const known = worlds.valueOf(name)
    if (known === undefined) {
      const version = ++this.#version
      const body = bodyFor({ path: `${station.alias}/${name}`, version, writer: corner.folder }, 20_000)
      const answer = await this.judge.ask(turn, 'PUT', name, { body })
      this.#settle({ ...turn, kind: 'PUT' }, corner, answer, [201, 204], new Map([[name, version]]))
      return
    }
    const kind = pick(random, ['MOVE', 'COPY', 'DELETE', 'GET'] as const)
    if (kind === 'GET') return this.#look(turn, corner, false, [name])
    if (kind !== 'DELETE' && other === name) return
    const headers: Record<string, string> = kind === 'DELETE' ? {} : { Destination: station.url(other) }
    const answer = await this.judge.ask(turn, kind, name, { headers })
    const after = new Map<string, number | undefined>(kind === 'DELETE' ? [] : [[other, known]])
    if (kind !== 'COPY') after.set(name, undefined)
    this.#settle({ ...turn, kind }, corner, answer, kind === 'DELETE' ? [204] : [201, 204], after)
  }

  #settle(
    turn: Turn,
    { worlds }: Corner,
    answer: Answer,
    wanted: readonly number[],
    after: ReadonlyMap<string, number | undefined>,
  ): void {
    if (this.judge.good(turn, answer, wanted)) {
      this.changes++
      worlds.happened(after)
    } else if (!answer.whole || Number(answer.status) >= 500) worlds.mayHaveHappened(after)
  }

  /**
   * What stands there must be what is known. While a fault may still be at work, doubts are left for later; when all is
   * calm, there is no later, and every name is looked at.
   */
  async #look(
    turn: Pick<Turn, 'user' | 'station'>,
    { worlds, folder }: Corner,
    calm: boolean,
    names: readonly string[] = calm ? namesOf(folder) : worlds.names,
  ): Promise<void> {
    const { station } = turn
    const now = performance.now()
    if (!calm && this.troubles.explaining(station, now - STRAGGLES, now) !== undefined) return
    let seen = new Map<string, number | undefined>()
    for (let waited = 0; waited < HEALED_WITHIN; waited++) {
      const look = await this.#read(turn, names)
      if (look !== undefined) seen = look
      if (look !== undefined && worlds.narrow(look)) return
      // A new trouble, or a moment that says nothing.
      if (!calm && (look === undefined || this.troubles.explaining(station, now, performance.now()) !== undefined))
        return
      await delay(1_000)
    }
    const found =
      [...seen].map(([name, version]) => `${name}: ${version ?? 'nothing'}`).join(', ') || 'what nobody can read'
    this.judge.violation(`${station.alias}/${folder} holds ${found}; expected ${worlds.text(names)}`)
    worlds.accept(seen)
  }

  async #read(
    turn: Pick<Turn, 'user' | 'station'>,
    names: readonly string[],
  ): Promise<Map<string, number | undefined> | undefined> {
    const seen = new Map<string, number | undefined>()
    for (const name of names) {
      const due = performance.now()
      const answer = await this.judge.ask(turn, 'GET', name)
      if (!this.judge.good({ ...turn, kind: 'GET', due }, answer, [200, 404])) return undefined
      const label = answer.status === 200 ? labelOf(answer.body) : undefined
      if (answer.status === 200 && label === undefined) {
        this.judge.violation(`${turn.station.alias}/${name} is torn: ${answer.body.length} bytes`)
        return undefined
      }
      seen.set(name, label?.version)
    }
    return seen
  }
}

function nameIn({ folder }: Corner, random: Random): string {
  return `${folder}/${below(random, FILES)}.bin`
}

/** Every name that `nameIn` may give. */
function namesOf(folder: string): string[] {
  return Array.from({ length: FILES }, (_, i) => `${folder}/${i}.bin`)
}
