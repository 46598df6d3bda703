import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { QueueState } from '../audit/event-queue.js'
import type { Health } from '../health/health.js'
import type { PoolStats } from '../storage/connections.js'
import type { ConnectionEvent } from '../storage/connection-events.js'
import type { CacheStats } from '../vfs/metadata-cache.js'
import type { OperationResult, TreeObserver, TreeOperation } from '../vfs/observer.js'

/** Of one server whose accounts are managed. */
export interface SyncBacklog {
  readonly alias: string
  /** Steps that wait for it. */
  readonly queued: number
  /** Accounts by why they are not in step. */
  readonly findings: Readonly<Record<string, number>>
}

/** What is looked at when somebody reads the metrics. */
export interface MetricsSources {
  readonly pools: () => PoolStats
  readonly cache: () => CacheStats
  readonly audit: () => QueueState
  /** Transfers and folder operations under way. */
  readonly running: () => number
  /** By server alias. */
  readonly health: () => Iterable<readonly [alias: string, health: Health]>
  /** How far accounts are in step, by server. */
  readonly sync: () => Promise<Iterable<SyncBacklog>>
}

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

const CLASSES: Readonly<Record<string, string>> = {
  GET: 'read',
  HEAD: 'read',
  PROPFIND: 'list',
  OPTIONS: 'list',
  PUT: 'write',
  POST: 'write',
  PATCH: 'write',
  DELETE: 'write',
  MKCOL: 'write',
  COPY: 'write',
  MOVE: 'write',
  PROPPATCH: 'write',
  LOCK: 'lock',
  UNLOCK: 'lock',
}

const DIRECTIONS: Readonly<Record<string, string>> = { read: 'down', write: 'up' }

/** Counts in the path of requests; everything else is looked up when the metrics are read. Labels hold no user and no path. */
export class Metrics implements TreeObserver {
  readonly #registry = new Registry()
  readonly #requests: Counter<'class' | 'status'>
  readonly #durations: Histogram<'class'>
  readonly #operations: Counter<'kind' | 'outcome'>
  readonly #bytes: Counter<'direction' | 'server'>
  readonly #connects: Counter<'server' | 'result'>
  readonly #connectSeconds: Histogram
  readonly #waits: Histogram
  readonly #syncSteps: Counter<'kind' | 'outcome'>

  constructor(private readonly sources: MetricsSources) {
    const registers = [this.#registry]
    collectDefaultMetrics({ register: this.#registry })
    this.#requests = new Counter({
      name: 'ftpcluster_http_requests_total',
      help: 'HTTP requests by class of method and status; 499: the client left.',
      labelNames: ['class', 'status'],
      registers,
    })
    this.#durations = new Histogram({
      name: 'ftpcluster_http_request_duration_seconds',
      help: 'From the request line to the end of the answer.',
      labelNames: ['class'],
      buckets: SECONDS,
      registers,
    })
    this.#operations = new Counter({
      name: 'ftpcluster_operations_total',
      help: 'Operations on files by outcome.',
      labelNames: ['kind', 'outcome'],
      registers,
    })
    this.#bytes = new Counter({
      name: 'ftpcluster_transferred_bytes_total',
      help: 'Bytes of files to clients (down), from clients (up), and copied on or between servers (between).',
      labelNames: ['direction', 'server'],
      registers,
    })
    this.#connects = new Counter({
      name: 'ftpcluster_connects_total',
      help: 'Connects to servers, by whose fault they failed.',
      labelNames: ['server', 'result'],
      registers,
    })
    this.#connectSeconds = new Histogram({
      name: 'ftpcluster_connect_duration_seconds',
      help: 'TCP, TLS and login together, of connects that worked.',
      buckets: SECONDS,
      registers,
    })
    this.#waits = new Histogram({
      name: 'ftpcluster_connection_wait_seconds',
      help: 'Until an operation had a connection.',
      buckets: SECONDS,
      registers,
    })
    this.#syncSteps = new Counter({
      name: 'ftpcluster_sync_steps_total',
      help: 'Steps on accounts of servers that this process did, by outcome; unneeded: it was so already.',
      labelNames: ['kind', 'outcome'],
      registers,
    })
    this.#addGauges()
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  text(): Promise<string> {
    return this.#registry.metrics()
  }

  /** To be told what the gateway tells. */
  onRequest({ method, status, seconds }: { method: string; status: number; seconds: number }): void {
    const name = CLASSES[method] ?? 'other'
    this.#requests.inc({ class: name, status: String(status) })
    this.#durations.observe({ class: name }, seconds)
  }

  /** To be told what `Connections` tells. */
  onConnection(event: ConnectionEvent): void {
    if (event.kind === 'lent') {
      this.#waits.observe(event.waited / 1000)
      return
    }
    const result = event.kind === 'connected' ? 'ok' : event.blames
    this.#connects.inc({ server: event.alias, result })
    if (event.kind === 'connected') this.#connectSeconds.observe(event.took / 1000)
  }

  /** To be told what `Sync` tells. */
  onStep({ kind, outcome }: { kind: string; outcome: string }): void {
    this.#syncSteps.inc({ kind, outcome })
  }

  ended({ kind, mount, bytes }: TreeOperation, { outcome }: OperationResult): void {
    this.#operations.inc({ kind, outcome })
    if (bytes > 0 && mount) {
      this.#bytes.inc({ direction: DIRECTIONS[kind] ?? 'between', server: mount.alias }, bytes)
    }
  }

  #addGauges(): void {
    const { pools, cache, audit, running, health, sync } = this.sources
    this.#gauge('ftpcluster_operations_running', 'Transfers and folder operations under way.', [], (gauge) =>
      gauge.set(running()),
    )
    this.#gauge('ftpcluster_pool_connections', 'Connections to servers.', ['server', 'state'], (gauge) => {
      for (const { alias: server, open, lent, connecting } of pools().servers) {
        gauge.set({ server, state: 'lent' }, lent)
        gauge.set({ server, state: 'idle' }, open - lent)
        gauge.set({ server, state: 'connecting' }, connecting)
      }
    })
    this.#gauge('ftpcluster_pool_waiting', 'Operations that wait for a connection.', ['server'], (gauge) => {
      for (const { alias: server, waiting } of pools().servers) gauge.set({ server }, waiting)
    })
    this.#gauge('ftpcluster_pool_limit', 'Connections that are allowed.', ['server'], (gauge) => {
      for (const { alias: server, limit } of pools().servers) gauge.set({ server }, limit)
    })
    this.#gauge('ftpcluster_breaker_open', '1 while a server that failed is left alone.', ['server'], (gauge) => {
      for (const { alias: server, state } of pools().servers) gauge.set({ server }, state.state === 'down' ? 1 : 0)
    })
    this.#gauge('ftpcluster_server_state', '1 for the state that a server is in.', ['server', 'state'], (gauge) => {
      for (const [server, { state }] of health()) gauge.set({ server, state }, 1)
    })
    this.#gauge(
      'ftpcluster_sync_queued',
      'Steps on accounts that wait for their server.',
      ['server'],
      async (gauge) => {
        for (const { alias: server, queued } of await sync()) gauge.set({ server }, queued)
      },
    )
    const found = 'Accounts that are not in step, as of the last look at the server.'
    this.#gauge('ftpcluster_sync_findings', found, ['server', 'kind'], async (gauge) => {
      for (const { alias: server, findings } of await sync()) {
        for (const [kind, count] of Object.entries(findings)) gauge.set({ server, kind }, count)
      }
    })
    this.#gauge('ftpcluster_audit_queued', 'Audit events that wait for the database.', [], (gauge) =>
      gauge.set(audit().queued),
    )
    this.#gauge('ftpcluster_cache_folders', 'Folders in the metadata cache.', [], (gauge) => gauge.set(cache().folders))
    this.#total('ftpcluster_cache_hits_total', 'Questions that the metadata cache answered.', () => cache().hits)
    this.#total('ftpcluster_cache_misses_total', 'Questions that went to a server.', () => cache().misses)
    this.#total('ftpcluster_audit_spilled_total', 'Audit events that waited on the disk.', () => audit().spilled)
    this.#total('ftpcluster_audit_lost_total', 'Audit events that are lost; it stays 0.', () => audit().lost)
  }

  #gauge<Label extends string>(
    name: string,
    help: string,
    labelNames: Label[],
    read: (gauge: Gauge<Label>) => void | Promise<void>,
  ) {
    const registers = [this.#registry]
    new Gauge<Label>({
      name,
      help,
      labelNames,
      registers,
      async collect() {
        this.reset()
        await read(this)
      },
    })
  }

  #total(name: string, help: string, read: () => number): void {
    const registers = [this.#registry]
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset()
        this.inc(read())
      },
    })
  }
}
