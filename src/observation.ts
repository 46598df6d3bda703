import { join } from 'node:path'
import { Activity } from './activity/activity.js'
import { PermissionUsage } from './activity/permission-usage.js'
import { AuditKeeper } from './audit/audit-keeper.js'
import type { AuditSeal } from './audit/audit-seal.js'
import { EventQueue } from './audit/event-queue.js'
import { FileEvents } from './audit/file-events.js'
import { SpillFile } from './audit/spill-file.js'
import { unchainedEvent } from './audit/unchained-event.js'
import type { Config } from './config/config.js'
import type { Database } from './db/database.js'
import { ServerHealth, type WatchedServer } from './health/server-health.js'
import type { Logger } from './logger.js'
import { Metrics, type MetricsSources } from './metrics/metrics.js'
import { systemClock } from './storage/clock.js'
import type { ConnectionEvent } from './storage/connection-events.js'
import type { Dialer } from './storage/driver.js'
import { awaitGreeting } from './storage/greeting.js'
import type { TreeObserver } from './vfs/observer.js'

export interface ObservationOptions {
  readonly config: Pick<Config, 'dataDir' | 'audit' | 'health' | 'metrics' | 'deadlines'>
  readonly log: Logger
  readonly database: Database
  readonly seal: AuditSeal
  readonly dial: Dialer
  readonly sources: Pick<MetricsSources, 'pools' | 'cache' | 'sync'>
}

/** Everything that is told what trees and connections do, and nothing that they need: audit, activity, health, metrics. */
export class Observation {
  readonly events: EventQueue
  readonly activity: Activity
  readonly usage: PermissionUsage
  readonly health: ServerHealth
  readonly metrics: Metrics | undefined
  /** For every tree. */
  readonly observers: readonly TreeObserver[]
  readonly #keeper: AuditKeeper

  constructor({ config, log, database, seal, dial, sources }: ObservationOptions) {
    const spill = new SpillFile({
      file: join(config.dataDir, 'audit-spill.jsonl'),
      onLost: (count, reason) => this.events.lost(count, reason),
    })
    this.events = new EventQueue({ store: database.audit, spill, log })
    this.#keeper = new AuditKeeper({ store: database.audit, seal, log, retention: config.audit.retention })
    const { listings } = config.audit
    const files = new FileEvents({ add: (event) => this.events.add(event), listings })
    this.activity = new Activity({
      onEnded: ({ userId, user, kind, path, bytes, client: { address } }, actor) => {
        const details = { kind, path, bytes, address }
        const object = { id: userId, name: user }
        this.events.add(unchainedEvent({ type: 'operation.ended', object, details }, actor))
      },
    })
    this.usage = new PermissionUsage({ store: database.usage, log })
    this.health = new ServerHealth({
      servers: async () => (await database.health.servers(new Date())) as WatchedServer[],
      probe: (server, signal) => awaitGreeting(dial, server, { timeout: config.deadlines.connect, signal }),
      store: database.health,
      clock: systemClock,
      log,
      ...config.health,
    })
    this.metrics = config.metrics.access === 'off' ? undefined : new Metrics({ ...sources, ...this.#sources() })
    this.observers = [files, this.activity, this.usage, ...(this.metrics ? [this.metrics] : [])]
  }

  /** For `Connections`. */
  readonly onConnection = (event: ConnectionEvent): void => {
    this.usage.onConnection(event)
    this.health.onConnection(event)
    this.metrics?.onConnection(event)
  }

  async start(): Promise<void> {
    await this.events.start()
    this.#keeper.start()
    await this.health.start()
  }

  /** Before the connections are closed: that they end says nothing of the servers. */
  async stopWatching(): Promise<void> {
    await this.health.stop()
  }

  /** After the last operation has ended: what is known by then is in the database, with an anchor at the end. */
  async stop(): Promise<void> {
    await this.usage.stop()
    await this.events.stop()
    await this.#keeper.stop()
  }

  #sources(): Pick<MetricsSources, 'audit' | 'running' | 'health'> {
    return {
      audit: () => this.events.state,
      running: () => this.activity.running().length,
      health: () => this.health.byAlias(),
    }
  }
}
