import { namesIn } from '../faults/lab/http-client.js'
import type { Rig, Station } from '../faults/lab/rig.js'
import { BrowserSession, type Visit } from '../support/browser-session.js'
import { PASSWORD } from '../support/drive.js'
import { isTemporaryName } from '../../src/vfs/temporary-name.js'
import { Counters } from './counters.js'
import type { Judge, Turn } from './judge.js'
import { OwnFiles } from './own-files.js'
import { below, pick, randomFrom } from './random.js'
import { SharedFiles } from './shared-files.js'
import type { Troubles } from './troubles.js'

export const USERS = 20
/** Each has so many logins on every server; users are dealt out to them. */
export const LOGINS = ['alice', 'bob', 'shared1', 'eve'] as const
const ABORTED = 0.01
/** Arrivals are let go while so many requests are under way: the gateway has 256 connections for one address. */
const MOST_UNDER_WAY = 180

const LOCK_BODY =
  '<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockinfo>'

/** The mix of section 7.3 of the reliability notes. Request number n is the same in every run with the same seed. */
export class Load {
  readonly shared: SharedFiles
  readonly counters: Counters
  readonly own: OwnFiles
  underWay = 0
  mostUnderWay = 0
  letGo = 0
  #number = 0
  readonly #browsers = new Map<number, Promise<BrowserSession>>()

  constructor(
    private readonly rig: Rig,
    private readonly judge: Judge,
    troubles: Troubles,
    private readonly seed: number,
  ) {
    this.shared = new SharedFiles(judge)
    this.counters = new Counters(judge)
    this.own = new OwnFiles(judge, troubles)
  }

  /** The next request, which was due at `due`. */
  async request(due: number): Promise<void> {
    const number = ++this.#number
    if (this.underWay >= MOST_UNDER_WAY) {
      this.letGo++
      return
    }
    this.mostUnderWay = Math.max(this.mostUnderWay, ++this.underWay)
    const random = randomFrom(this.seed, number)
    const user = below(random, USERS)
    const station = pick(random, this.stationsOf(user))
    const abort = random() < ABORTED
    const [kind, act] = this.#choose(random() * 100)
    try {
      await act({ kind, due, user, station, random, abort })
    } catch (error) {
      this.judge.violation(`${kind} on ${station.alias}: ${String(error)}`)
    } finally {
      this.underWay--
    }
  }

  /** Every user lists every folder that is theirs: logins here and on the servers, and the first connections. */
  async meetEverybody(): Promise<void> {
    const meet = async (user: number): Promise<void> => {
      for (const station of this.stationsOf(user)) {
        const answer = await this.judge.ask({ user, station }, 'PROPFIND', '', { headers: { Depth: '1' } })
        if (answer.status !== 207) this.judge.violation(`user${user} is met with ${answer.status} on ${station.alias}`)
      }
      await this.#browserOf(user)
    }
    // Those of one login in turn, so that each is met once before it is met by many.
    const turns = LOGINS.map(async (_, first) => {
      for (let user = first; user < USERS; user += LOGINS.length) await meet(user)
    })
    await Promise.all(turns)
  }

  stationsOf(user: number): Station[] {
    return this.rig.stations.filter((_, i) => i % LOGINS.length === user % LOGINS.length)
  }

  /** Where a user has a folder of its own. */
  #homeOf(user: number): Station {
    const stations = this.stationsOf(user)
    const home = stations[Math.floor(user / LOGINS.length) % stations.length]
    if (home === undefined) throw new Error('Every user has servers.')
    return home
  }

  /** Somebody who may use it. */
  userOf(station: Station): number {
    return this.rig.stations.indexOf(station) % LOGINS.length
  }

  /** Looks at everything once more, when all is calm. @returns what was judged, in words */
  async finish(): Promise<string> {
    const userOf = this.userOf.bind(this)
    const { files, writes, reads } = await this.shared.finish(userOf)
    const increments = await this.counters.finish(userOf)
    await this.own.finish()
    return (
      `${writes} versions and ${reads} reads of ${files} shared files judged, ${increments} increments by If-Match, ` +
      `${this.own.changes} changes of own files`
    )
  }

  #choose(percent: number): readonly [string, (turn: Turn) => Promise<void>] {
    const mix: readonly (readonly [number, string, (turn: Turn) => Promise<void>])[] = [
      [54, 'PROPFIND 1', (turn) => this.#list(turn, '1')],
      [15, 'PROPFIND 0', (turn) => this.#list(turn, '0')],
      [15, 'GET', (turn) => this.shared.get(turn)],
      [6, 'PUT', (turn) => this.shared.put(turn)],
      [2, 'PUT If-Match', (turn) => this.counters.raise(turn)],
      [4, 'own files', (turn) => this.own.act({ ...turn, station: this.#homeOf(turn.user) })],
      [2, 'LOCK', (turn) => this.#lock(turn)],
      [1, 'page', (turn) => this.#page(turn)],
      [1, 'API', (turn) => this.#api(turn)],
    ]
    let left = percent
    for (const [share, kind, act] of mix) if ((left -= share) < 0) return [kind, act]
    throw new Error('The mix has 100 parts.')
  }

  async #list(turn: Turn, depth: '0' | '1'): Promise<void> {
    const headers = { Depth: depth }
    if (turn.abort) {
      await this.judge.ask(turn, 'PROPFIND', '', { headers, onBytes: (_, cut) => cut() })
      this.judge.tally.count(turn.kind, 'aborted')
      return
    }
    const answer = await this.judge.ask(turn, 'PROPFIND', '', { headers })
    if (!this.judge.good(turn, answer, [207]) || depth === '0') return
    const ours = namesIn(answer.body.toString()).filter(isTemporaryName)
    if (ours.length > 0) this.judge.violation(`${turn.station.alias} shows ${ours.join(', ')}`)
  }

  async #lock(turn: Turn): Promise<void> {
    const name = `locked-by-user${turn.user}.txt`
    const headers = { Timeout: 'Second-60', 'Content-Type': 'application/xml' }
    const locked = await this.judge.ask(turn, 'LOCK', name, { headers, body: LOCK_BODY })
    if (!this.judge.good(turn, locked, [200, 201, 423])) return
    const token = locked.headers['lock-token']
    if (typeof token !== 'string') return
    const due = performance.now()
    const unlocked = await this.judge.ask(turn, 'UNLOCK', name, { headers: { 'Lock-Token': token } })
    this.judge.good({ ...turn, due, kind: 'UNLOCK' }, unlocked, [204])
  }

  /** The folder as a browser shows it. */
  async #page(turn: Turn): Promise<void> {
    const { user, station } = turn
    const started = performance.now()
    const visit = await this.#visit(user, station).catch((error: unknown) => String(error))
    const [status, text] = typeof visit === 'string' ? (['cut', visit] as const) : [visit.status, visit.text]
    const answer = { status, headers: {}, body: Buffer.from(text), whole: true, ms: performance.now() - started }
    this.judge.good(turn, answer, [200])
  }

  async #visit(user: number, { alias }: Station): Promise<Visit> {
    const browser = await this.judge.inTime('a login', this.#browserOf(user))
    const visit = await this.judge.inTime('a page', browser.get(`/files/${alias}/`))
    if (visit.path.startsWith('/login')) this.judge.violation(`user${user} is no longer logged in`)
    return visit
  }

  #browserOf(user: number): Promise<BrowserSession> {
    let browser = this.#browsers.get(user)
    if (browser === undefined) {
      browser = BrowserSession.loggedIn(this.rig.gateway.url, `user${user}`, PASSWORD)
      this.#browsers.set(user, browser)
      browser.catch(() => this.#browsers.delete(user))
    }
    return browser
  }

  async #api(turn: Turn): Promise<void> {
    const answer = await this.judge.askGateway(turn, '/api/v1/me/servers')
    if (this.judge.good(turn, answer, [200]) && !answer.body.includes(`"${turn.station.alias}"`)) {
      this.judge.violation(`user${turn.user} is not told of ${turn.station.alias}`)
    }
  }
}
