import { setTimeout as delay } from 'node:timers/promises'
import type { Fault } from '../faults/lab/injection.js'
import type { Rig, Station } from '../faults/lab/rig.js'
import { signal } from '../lab/processes.js'
import { below, pick, type Random } from './random.js'

/** Milliseconds after the end of a trouble in which its server may still be excused: a breaker's pause, a queue. */
const AFTERMATH = 5_000

/** ms, of one command to a server; the soak sets it for the gateway. */
export const DEADLINE = 10_000

export interface Trouble {
  readonly name: string
  readonly stations: readonly Station[]
  readonly start: number
  end: number
  /** Answers of its server may say anything. */
  readonly refuses: boolean
}

interface Plan {
  readonly name: string
  readonly stations: readonly Station[]
  readonly refuses?: boolean
  run(): Promise<void>
}

/** One random fault after the other, and the memory of which server was in trouble when. */
export class Troubles {
  readonly past: Trouble[] = []
  /** Set when the gateway itself may be killed. */
  gatewayToo = false
  #killed = false
  #running = Promise.resolve()

  constructor(
    private readonly rig: Rig,
    private readonly random: Random,
  ) {}

  /** A trouble that a request may have met. */
  explaining({ alias }: Station, start: number, end: number): Trouble | undefined {
    const met = this.past.filter(
      (trouble) =>
        start <= trouble.end + AFTERMATH &&
        end >= trouble.start &&
        trouble.stations.some((station) => station.alias === alias),
    )
    return met.find(({ refuses }) => refuses) ?? met[0]
  }

  /** The trouble that a server had last, in words. */
  last({ alias }: Station, now: number): string {
    const found = this.past.findLast(({ stations }) => stations.some((station) => station.alias === alias))
    if (found === undefined) return 'no trouble'
    return `${found.name}, over for ${Math.round(now - found.end)} ms`
  }

  /** Begins one and lets it pass. */
  next(): void {
    this.#running = this.#running.then(() => this.#one())
  }

  /** Resolves when all is calm. */
  async over(): Promise<void> {
    await this.#running
    this.rig.calm()
  }

  async #one(): Promise<void> {
    const plan = this.#plan()
    const { name, stations, refuses = false } = plan
    const trouble: Trouble = { name, stations, refuses, start: performance.now(), end: Infinity }
    this.past.push(trouble)
    await plan.run()
    trouble.end = performance.now()
  }

  #plan(): Plan {
    const { random } = this
    if (this.gatewayToo && (!this.#killed || random() < 0.3)) {
      this.#killed = true
      return { name: 'the gateway killed', stations: this.rig.stations, run: () => this.#killGateway() }
    }
    const one = pick(random, this.rig.stations)
    const all = this.rig.stations.filter(({ daemon }) => daemon === one.daemon)
    const some = random() < 0.5 ? all : [one]
    const where = some === all ? one.kind : one.alias
    const ms = 2_000 + below(random, 6_000)
    const s = `${(ms / 1000).toFixed(1)} s`
    const kinds: readonly Plan[] = [
      { name: `${where}: all connections reset`, stations: some, run: () => each(some, (it) => it.resetAll()) },
      { name: `${where}: all connections end`, stations: some, run: () => each(some, ({ proxy }) => proxy.endAll()) },
      { name: `${where}: silence for ${s}`, stations: some, run: () => silence(some, ms) },
      { name: `${where}: down for ${s}`, stations: some, run: () => down(some, ms) },
      { name: `${where}: 50 ms late for ${s}`, stations: some, run: () => shaped(some, { delay: 50 }, ms) },
      { name: `${where}: 300 KB/s for ${s}`, stations: some, run: () => shaped(some, { bytesPerSecond: 300_000 }, ms) },
      { name: `${where}: transfers cut`, stations: some, run: () => this.#cuts(some, ms) },
      {
        name: `${one.alias}: a command refused`,
        stations: [one],
        refuses: true,
        run: () => this.#command(one, REFUSED),
      },
      { name: `${one.alias}: a command reset`, stations: [one], run: () => this.#command(one, { kind: 'reset' }) },
      { name: `${one.alias}: a command unanswered`, stations: [one], run: () => this.#command(one, { kind: 'stall' }) },
      { name: `${one.kind}: its sessions killed`, stations: all, run: () => killSessions(one) },
      { name: `${one.kind}: restarted`, stations: all, run: () => restart(one, ms) },
    ]
    return pick(random, kinds)
  }

  async #killGateway(): Promise<void> {
    await this.rig.gateway.kill()
    await this.rig.gateway.serve()
  }

  /** Connections that break after some bytes of a transfer, for a while. */
  async #cuts(stations: readonly Station[], ms: number): Promise<void> {
    const { random } = this
    await each(stations, ({ proxy, kind }) => {
      for (const direction of ['up', 'down'] as const) {
        const action = random() < 0.5 ? 'reset' : 'cut'
        proxy.atByte({ channel: kind === 'sshd' ? 'control' : 'data', direction, after: below(random, 60_000), action })
      }
    })
    await delay(ms)
    await each(stations, ({ proxy }) => proxy.calm())
  }

  async #command({ commands }: Station, action: Fault['action']): Promise<void> {
    const nth = 1 + below(this.random, 20)
    // A server that does it and says that it did not would be a liar: no gateway can know.
    const at = action.kind === 'answer' || this.random() < 0.5 ? 'before' : 'end'
    commands.arm(({ index }) => (index === nth ? { at, action } : undefined))
    for (let waited = 0; commands.fired === 0 && waited < 8_000; waited += 100) await delay(100)
    commands.disarm()
    // Whoever asks the same meanwhile waits for the same answer.
    if (action.kind === 'stall' && commands.fired > 0) await delay(DEADLINE)
  }
}

const REFUSED: Fault['action'] = { kind: 'answer', reply: '450 no', status: 4 }

function each(stations: readonly Station[], act: (station: Station) => void): Promise<void> {
  stations.forEach(act)
  return Promise.resolve()
}

async function silence(stations: readonly Station[], ms: number): Promise<void> {
  for (const { proxy } of stations) proxy.freeze()
  await delay(ms)
  for (const { proxy } of stations) proxy.thaw()
}

async function down(stations: readonly Station[], ms: number): Promise<void> {
  await Promise.all(stations.map(({ proxy }) => proxy.down()))
  await delay(ms)
  await Promise.all(stations.map(({ proxy }) => proxy.open()))
}

async function shaped(stations: readonly Station[], shape: Station['proxy']['shape'], ms: number): Promise<void> {
  for (const { proxy } of stations) proxy.shape = shape
  await delay(ms)
  for (const { proxy } of stations) proxy.shape = {}
}

function killSessions({ daemon }: Station): Promise<void> {
  for (const pid of daemon.sessions().reverse()) signal(pid, 'SIGKILL')
  return Promise.resolve()
}

async function restart({ daemon }: Station, ms: number): Promise<void> {
  await daemon.stop()
  await delay(ms)
  await daemon.start()
}
