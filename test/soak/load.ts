import { PASSWORD } from '../support/drive.js'
import { ask, namesIn, type Answer } from '../faults/lab/http-client.js'
import type { Ask, Rig, Station } from '../faults/lab/rig.js'
import { bodyFor, labelOf } from './body.js'
import { History, type Write } from './history.js'
import type { Tally } from './tally.js'
import type { Troubles } from './troubles.js'

export const USERS = 20
const SHARED_FILES = 8
const OWN_FILES = 12
/** Requests under way that no load of this size should reach. */
const MOST_UNDER_WAY = 300
const LARGEST = 8 * 1024 * 1024
const ABORTED = 0.01

/** What one user has in a folder of its own on one server: nobody else touches it, one request at a time. */
interface Corner {
  readonly files: Map<string, number | 'unsure'>
  busy: boolean
  made: boolean
}

/**
 * Requests at a fixed rate, whatever becomes of them: a request that is late counts from when it was due. Every answer is
 * judged: by its status, by its bytes, and by what is known of what stood there.
 */
export class Load {
  readonly histories = new Map<string, History>()
  readonly violations: string[] = []
  underWay = 0
  mostUnderWay = 0
  #version = 0
  readonly #corners = new Map<string, Corner>()

  constructor(
    private readonly rig: Rig,
    private readonly tally: Tally,
    private readonly troubles: Troubles,
    private readonly random: () => number,
  ) {}

  /** One request of the mix in section 7.3 of the reliability notes, due at `due`. */
  async request(due: number): Promise<void> {
    this.mostUnderWay = Math.max(this.mostUnderWay, ++this.underWay)
    if (this.underWay > MOST_UNDER_WAY) this.violations.push(`${this.underWay} requests are under way`)
    const user = Math.floor(this.random() * USERS)
    const stations = this.rig.stations.filter((_, i) => i % 4 === user % 4)
    const station = stations[Math.floor(this.random() * stations.length)]
    if (station === undefined) throw new Error('every user has servers')
    const [kind, act] = this.#choose()
    try {
      await act({ kind, due, user, station })
    } catch (error) {
      this.violations.push(`${kind} on ${station.alias}: ${String(error)}`)
    } finally {
      this.underWay--
    }
  }

  #choose(): readonly [string, (turn: Turn) => Promise<void>] {
    const mix: readonly (readonly [number, string, (turn: Turn) => Promise<void>])[] = [
      [55, 'PROPFIND 1', (turn) => this.#list(turn, '1')],
      [15, 'PROPFIND 0', (turn) => this.#list(turn, '0')],
      [15, 'GET', (turn) => this.#get(turn)],
      [8, 'PUT', (turn) => this.#put(turn)],
      [3, 'own files', (turn) => this.#own(turn)],
      [2, 'LOCK', (turn) => this.#lock(turn)],
      [2, 'page', (turn) => this.#page(turn)],
    ]
    let left = this.random() * 100
    for (const [share, kind, act] of mix) if ((left -= share) < 0) return [kind, act]
    return ['PROPFIND 1', (turn) => this.#list(turn, '1')]
  }

  /** Few files get most of the requests. */
  #shared(station: Station): History {
    const path = `shared-${Math.floor(SHARED_FILES ** this.random()) - 1}.bin`
    const key = `${station.alias}/${path}`
    let history = this.histories.get(key)
    if (history === undefined) this.histories.set(key, (history = new History(path)))
    return history
  }

  async #list({ kind, due, user, station }: Turn, depth: '0' | '1'): Promise<void> {
    const answer = await this.#ask(user, 'PROPFIND', station, '', { headers: { Depth: depth } })
    if (!this.#expected(kind, due, station, answer, [207])) return
    if (depth === '1') {
      const ours = namesIn(answer.body.toString()).filter((name) => name.startsWith('.ftpc-'))
      if (ours.length > 0) this.violations.push(`${station.alias} shows ${ours.join(', ')}`)
    }
  }

  async #get({ kind, due, user, station }: Turn): Promise<void> {
    const history = this.#shared(station)
    const start = performance.now()
    if (this.random() < ABORTED) {
      await this.#ask(user, 'GET', station, history.path, { onBytes: (_, cut) => cut() })
      this.tally.aborted(kind)
      return
    }
    const answer = await this.#ask(user, 'GET', station, history.path)
    const end = performance.now()
    if (!this.#expected(kind, due, station, answer, [200, 404])) return
    if (answer.status === 404) {
      history.reads.push({ start, end, version: undefined })
      return
    }
    const label = labelOf(answer.body)
    if (label === undefined || label.path !== `${station.alias}/${history.path}`) {
      this.violations.push(`${station.alias}/${history.path}: a torn read of ${answer.body.length} bytes`)
    } else history.reads.push({ start, end, version: label.version })
  }

  async #put({ kind, due, user, station }: Turn): Promise<void> {
    const history = this.#shared(station)
    const version = ++this.#version
    // Log-normal around 60 KiB.
    const gauss = Math.sqrt(-2 * Math.log(1 - this.random())) * Math.cos(2 * Math.PI * this.random())
    const size = Math.min(LARGEST, Math.max(4096, Math.round(Math.exp(11 + 1.6 * gauss))))
    const body = bodyFor({ path: `${station.alias}/${history.path}`, version, writer: `user${user}` }, size)
    const write = history.begin(version, performance.now())
    const answer = await this.#ask(user, 'PUT', station, history.path, { body })
    settle(write, answer)
    this.#expected(kind, due, station, answer, [201, 204])
  }

  async #own({ due, user, station }: Turn): Promise<void> {
    const corner = this.#cornerOf(user, station)
    if (corner.busy) return
    corner.busy = true
    try {
      await this.#change(due, user, station, corner)
    } finally {
      corner.busy = false
    }
  }

  async #change(due: number, user: number, station: Station, corner: Corner): Promise<void> {
    const folder = `user${user}`
    if (!corner.made) {
      const answer = await this.#ask(user, 'MKCOL', station, folder)
      corner.made = this.#expected('MKCOL', due, station, answer, [201, 405])
      return
    }
    const name = `${folder}/${Math.floor(this.random() * OWN_FILES)}.bin`
    const other = `${folder}/${Math.floor(this.random() * OWN_FILES)}.bin`
    const known = corner.files.get(name)
    if (known === undefined) {
      const version = ++this.#version
      const body = bodyFor({ path: name, version, writer: folder }, 20_000)
      const answer = await this.#ask(user, 'PUT', station, name, { body })
      if (this.#expected('PUT', due, station, answer, [201, 204])) corner.files.set(name, version)
      else corner.files.set(name, 'unsure')
      return
    }
    if (known === 'unsure') {
      const answer = await this.#ask(user, 'GET', station, name)
      if (!this.#expected('GET', due, station, answer, [200, 404])) return
      const label = answer.status === 200 ? labelOf(answer.body) : undefined
      if (answer.status === 200 && label === undefined) this.violations.push(`${station.alias}/${name} is torn`)
      if (label === undefined) corner.files.delete(name)
      else corner.files.set(name, label.version)
      return
    }
    const Destination = `${this.rig.gateway.dav(station.alias, other)}`
    const kind = (['MOVE', 'COPY', 'DELETE', 'GET'] as const)[Math.floor(this.random() * 4)]
    switch (kind) {
      case 'MOVE':
      case 'COPY': {
        if (other === name) return
        const answer = await this.#ask(user, kind, station, name, { headers: { Destination } })
        const done = this.#expected(kind, due, station, answer, [201, 204])
        corner.files.set(other, done ? known : 'unsure')
        if (kind === 'MOVE') {
          if (done) corner.files.delete(name)
          else corner.files.set(name, 'unsure')
        }
        return
      }
      case 'DELETE': {
        const answer = await this.#ask(user, 'DELETE', station, name)
        if (this.#expected('DELETE', due, station, answer, [204])) corner.files.delete(name)
        else corner.files.set(name, 'unsure')
        return
      }
      default: {
        const answer = await this.#ask(user, 'GET', station, name)
        if (!this.#expected('GET', due, station, answer, [200])) return
        const label = labelOf(answer.body)
        if (label?.version !== known) {
          this.violations.push(`${station.alias}/${name} holds ${label?.version ?? 'nothing whole'}, not ${known}`)
        }
      }
    }
  }

  async #lock({ kind, due, user, station }: Turn): Promise<void> {
    const name = `locked-by-user${user}.txt`
    const body =
      '<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockinfo>'
    const headers = { Timeout: 'Second-60', 'Content-Type': 'application/xml' }
    const locked = await this.#ask(user, 'LOCK', station, name, { headers, body })
    if (!this.#expected(kind, due, station, locked, [200, 201, 423])) return
    const token = locked.headers['lock-token']
    if (typeof token !== 'string') return
    const unlocked = await this.#ask(user, 'UNLOCK', station, name, { headers: { 'Lock-Token': token } })
    this.#expected('UNLOCK', performance.now(), station, unlocked, [204])
  }

  async #page({ kind, due, user, station }: Turn): Promise<void> {
    const url = `${this.rig.gateway.url}/dav/`
    const answer = await ask({ method: 'PROPFIND', url, headers: { Depth: '1' }, auth: `user${user}:${PASSWORD}` })
    this.#expected(kind, due, station, answer, [207])
  }

  #ask(user: number, method: string, station: Station, name: string, more: Ask = {}) {
    const url = this.rig.gateway.dav(station.alias, name)
    return ask({ method, url, auth: `user${user}:${PASSWORD}`, ...more })
  }

  /** Whether the answer is one of a request that went well; else it is explained or a surprise. */
  #expected(kind: string, due: number, station: Station, answer: Answer, good: readonly number[]): boolean {
    const now = performance.now()
    const whole = answer.whole && answer.status !== 'cut'
    if (whole && good.includes(Number(answer.status))) {
      this.tally.ok(kind, now - due)
      return true
    }
    if (this.troubles.explains(station.alias, now - answer.ms, now)) this.tally.explained(kind)
    else {
      const text = answer.body.toString('utf8', 0, 200)
      this.tally.surprise(kind, `${kind} on ${station.alias}: ${answer.status}${answer.whole ? '' : ', cut'} ${text}`)
    }
    return false
  }

  #cornerOf(user: number, station: Station): Corner {
    const key = `${user} ${station.alias}`
    let corner = this.#corners.get(key)
    if (corner === undefined) this.#corners.set(key, (corner = { files: new Map(), busy: false, made: false }))
    return corner
  }

  /** @returns the status of a listing */
  async probe(user: number, alias: string): Promise<number | 'cut'> {
    const station = this.rig.station(alias)
    return (await this.#ask(user, 'PROPFIND', station, '', { headers: { Depth: '1' } })).status
  }

  /** Reads every file once more, when all is calm. */
  async finish(): Promise<void> {
    for (const station of this.rig.stations) {
      const user = this.rig.stations.indexOf(station) % 4
      for (const [key, history] of this.histories) {
        if (!key.startsWith(`${station.alias}/`)) continue
        const start = performance.now()
        const answer = await this.#ask(user, 'GET', station, history.path)
        const label = answer.status === 200 ? labelOf(answer.body) : undefined
        if (answer.status === 200 && label === undefined) this.violations.push(`${key} is torn at the end`)
        if (answer.status !== 200 && answer.status !== 404) this.violations.push(`${key}: ${answer.status} at the end`)
        history.reads.push({ start, end: performance.now(), version: label?.version })
      }
    }
    for (const history of this.histories.values()) this.violations.push(...history.violations())
  }
}

interface Turn {
  readonly kind: string
  readonly due: number
  readonly user: number
  readonly station: Station
}

function settle(write: Write, { status }: Answer): void {
  write.end = performance.now()
  if (status === 201 || status === 204) write.outcome = 'ok'
  // A refusal before anything was done; whatever failed on the way to the server may have happened.
  else if (status !== 'cut' && status < 500) write.outcome = 'failed'
  else write.outcome = 'unknown'
}
