import { messageOf } from '../errors.js'
import type { StoredSample } from '../db/stores/health-store.js'
import type { Logger } from '../logger.js'
import type { Clock } from '../storage/clock.js'
import type { ConnectionEvent } from '../storage/connection-events.js'
import type { Protocol } from '../storage/driver.js'
import type { Health, HealthSample, HealthState } from './health.js'
import { ServerRecord } from './server-record.js'

/** A registered server, as far as its health goes. */
export interface WatchedServer {
  readonly id: number
  readonly alias: string
  readonly protocol: Protocol
  readonly host: string
  readonly port: number
  readonly enabled: boolean
  /** Grows when it became another peer: what was known of the old one is void. */
  readonly version: number
  /** Whether anybody may reach it. */
  readonly permitted: boolean
}

export interface SampleStore {
  save(samples: readonly StoredSample[], oldest: Date): Promise<void>
  of(serverId: number, from: Date): Promise<StoredSample[]>
}

export interface ServerHealthOptions {
  readonly servers: () => Promise<readonly WatchedServer[]>
  /** Connects and waits for the greeting, without a login. @returns milliseconds @throws StorageError */
  readonly probe: (server: WatchedServer, signal: AbortSignal) => Promise<number>
  readonly store: SampleStore
  readonly clock: Clock
  readonly log: Pick<Logger, 'warn' | 'info'>
  /** Milliseconds without news of a server after which it is probed; 0: never. */
  readonly probeEvery: number
  /** A connect that takes longer, in ms, makes a server slow. */
  readonly slowAfter: number
}

interface Watched {
  server: WatchedServer
  record: ServerRecord
  probeAt: number
  probing: boolean
}

/** Length of a sample, and how long samples are kept, ms. */
const STEP = 5 * 60_000
const KEPT = 24 * 3_600_000
/** Between two looks at what is due, ms. */
const TICK = 5_000
/** How soon after the start, or after a change, a server is probed; and how soon again while it is down, ms. */
const SOON = 15_000
const WHILE_DOWN = 30_000
const PROBES_AT_ONCE = 4

/** Failures that a server which merely greets does not refute. */
const DEEP = new Set(['UNTRUSTED', 'PROTOCOL', 'TIMED_OUT', 'CONNECTION_LOST'])

/**
 * How the servers are: concluded from the connects of users and, where there were none for a while, from a light probe.
 * Only enabled servers with a permission are probed.
 */
export class ServerHealth {
  readonly #watched = new Map<number, Watched>()
  readonly #stopping = new AbortController()
  readonly #probes = new Set<Promise<void>>()
  #cancelTick: (() => void) | undefined
  #sampleSince: number
  #refreshing: Promise<void> = Promise.resolve()

  constructor(private readonly options: ServerHealthOptions) {
    this.#sampleSince = stepOf(options.clock.now())
  }

  /** Connects to nothing yet. @throws DatabaseError */
  async start(): Promise<void> {
    await this.refresh()
    this.#tickLater()
  }

  /** Writes the sample that is being taken; probes under way are given up. */
  async stop(): Promise<void> {
    this.#cancelTick?.()
    this.#stopping.abort()
    await Promise.all([...this.#probes, this.#refreshing])
    await this.#saveSample()
  }

  /** Reads again which servers there are: called when something changed. */
  refresh(): Promise<void> {
    this.#refreshing = this.#refreshing.then(async () => {
      try {
        this.#adopt(await this.options.servers())
      } catch (error) {
        this.options.log.warn({ reason: messageOf(error) }, 'the list of servers for their health cannot be read')
      }
    })
    return this.#refreshing
  }

  of(serverId: number): Health {
    const watched = this.#watched.get(serverId)
    return watched ? watched.record.get(watched.server.enabled) : { state: 'unknown' }
  }

  /** Of every registered server, by its id. */
  all(): ReadonlyMap<number, Health> {
    return new Map([...this.#watched].map(([id, { record, server }]) => [id, record.get(server.enabled)]))
  }

  *byAlias(): Generator<[alias: string, health: Health]> {
    for (const { record, server } of this.#watched.values()) yield [server.alias, record.get(server.enabled)]
  }

  /** The last 24 hours in steps of five minutes, the oldest first; times when the gateway did not run are absent. */
  async history(serverId: number): Promise<HealthSample[]> {
    const now = this.options.clock.now()
    const stored = await this.options.store.of(serverId, new Date(now - KEPT))
    const watched = this.#watched.get(serverId)
    const samples = stored
      .filter(({ at }) => !watched || at.getTime() < this.#sampleSince)
      .map(({ at, state, latencyMs }) => ({
        at,
        state: state as HealthState,
        ...(latencyMs !== undefined && { latencyMs }),
      }))
    return watched ? [...samples, watched.record.sample(this.#sampleSince, watched.server.enabled)] : samples
  }

  /** To be told what `Connections` tells. */
  onConnection(event: ConnectionEvent): void {
    const watched = this.#watched.get(event.serverId)
    if (!watched || event.kind === 'lent') return
    const now = this.options.clock.now()
    if (event.kind === 'connected') watched.record.ok(now, event.took)
    else if (event.blames === 'server') {
      // One failure is not yet an outage; the breaker says when.
      if (event.state.state !== 'down') return
      watched.record.failed(now, event.error.code, DEEP.has(event.error.code))
    } else if (event.blames !== 'account') watched.record.ok(now, undefined)
    this.#schedule(watched)
  }

  #adopt(servers: readonly WatchedServer[]): void {
    const now = this.options.clock.now()
    const left = new Set(this.#watched.keys())
    for (const server of servers) {
      left.delete(server.id)
      const known = this.#watched.get(server.id)
      if (known?.server.version === server.version) {
        // Whether it is worth a probe may have changed.
        if (!isProbed(known.server) && isProbed(server)) known.probeAt = now + this.#soon
        known.server = server
        continue
      }
      const record = new ServerRecord(this.options.slowAfter, now)
      this.#watched.set(server.id, { server, record, probeAt: now + this.#soon, probing: false })
    }
    for (const id of left) this.#watched.delete(id)
  }

  get #soon(): number {
    return Math.min(this.options.probeEvery, SOON)
  }

  #tickLater(): void {
    const pause = Math.min(TICK, this.options.probeEvery || TICK)
    this.#cancelTick = this.options.clock.after(pause, () => void this.#tick(), { background: true })
  }

  async #tick(): Promise<void> {
    const now = this.options.clock.now()
    if (stepOf(now) !== this.#sampleSince) {
      await this.#saveSample()
      // A permission may have ended by its date.
      await this.refresh()
    }
    this.#probeDue(now)
    if (!this.#stopping.signal.aborted) this.#tickLater()
  }

  #probeDue(now: number): void {
    if (this.options.probeEvery === 0) return
    for (const watched of this.#watched.values()) {
      if (this.#probes.size >= PROBES_AT_ONCE) return
      if (watched.probing || !isProbed(watched.server) || watched.probeAt > now) continue
      watched.probing = true
      const probe: Promise<void> = this.#probe(watched).finally(() => {
        watched.probing = false
        this.#probes.delete(probe)
        this.#schedule(watched)
      })
      this.#probes.add(probe)
    }
  }

  async #probe({ server, record }: Watched): Promise<void> {
    const { clock, probe, log } = this.options
    try {
      const latency = await probe(server, this.#stopping.signal)
      record.ok(clock.now(), latency, { greetingOnly: true })
    } catch (error) {
      if (this.#stopping.signal.aborted) return
      const wasDown = record.get(true).state === 'down'
      record.failed(clock.now(), reasonOf(error), false)
      if (!wasDown) log.warn({ server: server.alias, reason: messageOf(error) }, 'a server does not answer')
    }
  }

  /** After any news of it. */
  #schedule(watched: Watched): void {
    const { probeEvery, clock } = this.options
    const down = watched.record.get(true).state === 'down'
    watched.probeAt = clock.now() + (down ? Math.min(WHILE_DOWN, probeEvery) : probeEvery)
  }

  async #saveSample(): Promise<void> {
    const { store, clock, log } = this.options
    const now = clock.now()
    const samples = [...this.#watched].map(([serverId, { record, server }]) => {
      const { at, state, latencyMs } = record.sample(this.#sampleSince, server.enabled)
      return { serverId, at, state, latencyMs }
    })
    try {
      await store.save(samples, new Date(now - KEPT))
    } catch (error) {
      log.warn({ reason: messageOf(error) }, 'the health of the servers cannot be written')
    }
    this.#sampleSince = stepOf(now)
    for (const { record } of this.#watched.values()) record.beginSample()
  }
}

function isProbed({ enabled, permitted }: WatchedServer): boolean {
  return enabled && permitted
}

function stepOf(now: number): number {
  return Math.floor(now / STEP) * STEP
}

function reasonOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'UNREACHABLE'
}
