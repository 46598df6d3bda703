import { setTimeout as delay } from 'node:timers/promises'
import { signal } from '../lab/processes.js'
import type { Fault } from '../faults/lab/injection.js'
import type { Rig, Station } from '../faults/lab/rig.js'

/** Milliseconds after the end of a trouble in which its server may still be excused: breaker, deadlines, a queue. */
const AFTERMATH = 12_000

interface Trouble {
  readonly name: string
  readonly stations: readonly Station[]
  readonly start: number
  end: number
}

/** One random fault after the other, and the memory of which server was in trouble when. */
export class Troubles {
  readonly past: Trouble[] = []
  #running = Promise.resolve()

  constructor(
    private readonly rig: Rig,
    private readonly random: () => number,
  ) {}

  /** Whether a request to `alias` that ran then may have met a fault. */
  explains(alias: string, start: number, end: number): boolean {
    return this.past.some(
      ({ stations, ...trouble }) =>
        stations.some((station) => station.alias === alias) && start <= trouble.end + AFTERMATH && end >= trouble.start,
    )
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
    const station = this.rig.stations[Math.floor(this.random() * this.rig.stations.length)]
    if (station === undefined) return
    const same = this.rig.stations.filter(({ daemon }) => daemon === station.daemon)
    const troubles: readonly (readonly [string, readonly Station[], () => Promise<void>])[] = [
      ['all connections reset', [station], async () => Promise.resolve(station.resetAll())],
      ['all connections end', [station], async () => Promise.resolve(station.proxy.endAll())],
      ['silence for 5 s', [station], () => this.#silence(station, 5_000)],
      ['down for 4 s', [station], () => this.#down(station, 4_000)],
      ['50 ms late for 8 s', [station], () => this.#shaped(station, { delay: 50 }, 8_000)],
      ['300 KB/s for 8 s', [station], () => this.#shaped(station, { bytesPerSecond: 300_000 }, 8_000)],
      ['a command refused', [station], () => this.#command(station, { kind: 'answer', reply: '450 no', status: 4 })],
      ['a command reset', [station], () => this.#command(station, { kind: 'reset' })],
      ['a command unanswered', [station], () => this.#command(station, { kind: 'stall' })],
      ['its sessions killed', same, () => this.#kill(station)],
      ['restarted', same, () => this.#restart(station)],
    ]
    const [name, stations, run] = troubles[Math.floor(this.random() * troubles.length)] ?? troubles[0] ?? []
    if (name === undefined || stations === undefined || run === undefined) return
    const trouble: Trouble = { name: `${station.alias}: ${name}`, stations, start: performance.now(), end: Infinity }
    this.past.push(trouble)
    await run()
    trouble.end = performance.now()
  }

  async #silence({ proxy }: Station, ms: number): Promise<void> {
    proxy.freeze()
    await delay(ms)
    proxy.thaw()
  }

  async #down({ proxy }: Station, ms: number): Promise<void> {
    await proxy.down()
    await delay(ms)
    await proxy.open()
  }

  async #shaped({ proxy }: Station, shape: Station['proxy']['shape'], ms: number): Promise<void> {
    proxy.shape = shape
    await delay(ms)
    proxy.shape = {}
  }

  async #command({ commands }: Station, action: Fault['action']): Promise<void> {
    const nth = 1 + Math.floor(this.random() * 20)
    const at = this.random() < 0.5 ? 'before' : 'end'
    commands.arm(({ index }) => (index === nth ? { at, action } : undefined))
    for (let waited = 0; commands.fired === 0 && waited < 8_000; waited += 100) await delay(100)
    commands.disarm()
  }

  #kill({ daemon }: Station): Promise<void> {
    for (const pid of daemon.sessions().reverse()) signal(pid, 'SIGKILL')
    return Promise.resolve()
  }

  async #restart({ daemon }: Station): Promise<void> {
    await daemon.stop()
    await delay(2_000)
    await daemon.start()
  }
}
