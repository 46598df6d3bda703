import { DatabaseError } from '../db/errors.js'
import type { DatabaseAuditStore, UnchainedEvent } from '../db/stores/audit-store.js'
import { messageOf } from '../errors.js'
import type { Logger } from '../logger.js'
import type { SpillFile } from './spill-file.js'

export interface EventQueueOptions {
  readonly store: Pick<DatabaseAuditStore, 'append' | 'mark'>
  readonly spill: Pick<SpillFile, 'add' | 'flushed' | 'holdsEvents' | 'replay'>
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>
  /** Milliseconds that an event waits for others to be written with. */
  readonly writeAfter?: number
  /** Events that are written at once. */
  readonly batch?: number
  /** Events in memory above which they go to the spill file. */
  readonly capacity?: number
  /** First pause after a failed write, ms; it doubles up to half a minute. */
  readonly retryAfter?: number
}

export interface QueueState {
  readonly queued: number
  /** Events that went to the spill file since the start. */
  readonly spilled: number
  /** Stays 0 unless memory and disk are full at once. */
  readonly lost: number
}

const LONGEST_PAUSE = 30_000

/**
 * Takes events from the path of requests and writes them in batches, each in one transaction. Whoever adds one waits for
 * nothing. When the database does not keep up, or is locked, events wait in memory, then in the spill file.
 */
export class EventQueue {
  #queue: UnchainedEvent[] = []
  #writing: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #pause = 0
  #spilled = 0
  #lost = 0
  #replayDue = false
  #ending = false
  #stopped = false

  constructor(private readonly options: EventQueueOptions) {}

  get state(): QueueState {
    return { queued: this.#queue.length, spilled: this.#spilled, lost: this.#lost }
  }

  /** Begins with what an earlier process had to leave in the spill file. */
  async start(): Promise<void> {
    if (await this.options.spill.holdsEvents()) this.#replayDue = true
    if (this.#replayDue) this.#writeSoon(0)
  }

  add(event: UnchainedEvent): void {
    const { batch = 500, capacity = 10_000, writeAfter = 250 } = this.options
    if (this.#queue.length >= capacity || this.#stopped) {
      this.#spill(event)
      return
    }
    this.#queue.push(event)
    if (this.#pause > 0) return
    if (this.#queue.length >= batch) this.#write()
    else this.#writeSoon(writeAfter)
  }

  /** For `SpillFile`. */
  lost(count: number, reason: string): void {
    this.#lost += count
    this.options.log.error({ count, reason }, 'audit events are lost')
  }

  /** Everything is in the database when this resolves or, where that cannot be, in the spill file. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#pause = 0
    await this.#writing
    this.#ending = true
    this.#write()
    await this.#writing
    this.#stopped = true
    clearTimeout(this.#timer)
    for (const event of this.#queue.splice(0)) this.#spill(event)
    await this.options.spill.flushed()
  }

  #spill(event: UnchainedEvent): void {
    if (this.options.spill.add(event)) {
      this.#spilled++
      this.#replayDue = true
      return
    }
    this.#lost++
    if (Math.log10(this.#lost) % 1 === 0) this.options.log.error({ lost: this.#lost }, 'audit events are lost')
  }

  #writeSoon(ms: number): void {
    if (this.#timer !== undefined || this.#writing) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#write()
    }, ms)
    this.#timer.unref()
  }

  #write(): void {
    this.#writing ??= this.#drain()
      .then(
        () => this.#recovered(),
        (error: unknown) => this.#failed(error),
      )
      .finally(() => {
        this.#writing = undefined
        if (this.#stopped) return
        if (this.#pause > 0) this.#writeSoon(this.#pause)
        else if (this.#queue.length > 0) this.#writeSoon(this.options.writeAfter ?? 250)
      })
  }

  async #drain(): Promise<void> {
    const { batch = 500, store, spill } = this.options
    // What came meanwhile waits for more to come, unless it is a batch already or the last one.
    while (this.#queue.length > 0) {
      const events = this.#queue.slice(0, batch)
      await this.#append(events)
      this.#queue.splice(0, events.length)
      if (this.#queue.length < batch && !this.#ending) break
    }
    if (!this.#replayDue) return
    this.#replayDue = false
    try {
      await spill.replay(
        (name) => store.mark(name),
        async (events, mark) => {
          await store.append(events, mark)
        },
      )
    } catch (error) {
      this.#replayDue = true
      throw error
    }
  }

  /** An event that the database does not take, though it works, must not keep back the others. */
  async #append(events: readonly UnchainedEvent[]): Promise<void> {
    try {
      await this.options.store.append(events)
    } catch (error) {
      if (error instanceof DatabaseError) throw error
      if (events.length === 1) {
        this.lost(1, messageOf(error))
        return
      }
      for (const event of events) await this.#append([event])
    }
  }

  #recovered(): void {
    if (this.#pause > 0) this.options.log.info('audit events are written again')
    this.#pause = 0
  }

  #failed(error: unknown): void {
    if (this.#pause === 0) {
      const reason = messageOf(error)
      this.options.log.warn({ reason, waiting: this.#queue.length }, 'audit events wait for the database')
    }
    const { retryAfter = 1000 } = this.options
    this.#pause = Math.min(this.#pause === 0 ? retryAfter : this.#pause * 2, LONGEST_PAUSE)
  }
}
