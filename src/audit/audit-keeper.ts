import type { DatabaseAuditStore, UnchainedEvent } from '../db/stores/audit-store.js'
import { messageOf } from '../errors.js'
import type { Logger } from '../logger.js'
import type { AuditSeal } from './audit-seal.js'
import { unchainedEvent } from './unchained-event.js'

export interface AuditKeeperOptions {
  readonly store: Pick<DatabaseAuditStore, 'head' | 'anchor' | 'lastAnchor' | 'anchorsBefore' | 'cut'>
  readonly seal: AuditSeal
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>
  /** Milliseconds that events are kept; 0: for ever. */
  readonly retention: number
  readonly now?: () => number
}

/** So many events, or so much time in ms, without an anchor are enough. */
const ANCHOR_EVENTS = 1000
const ANCHOR_AFTER = 3_600_000
const CUT_EVERY = 3_600_000
/** Events that are removed at once, about. */
const CUT_EVENTS = 10_000
const TICK = 10_000

/**
 * Anchors the chain every 1000 events or hour and at a clean stop, in the database and in the log, and removes what is
 * older than the retention, only ever up to an anchor.
 */
export class AuditKeeper {
  readonly #now: () => number
  #timer: NodeJS.Timeout | undefined
  #working: Promise<void> = Promise.resolve()
  #lastCut = -Infinity

  constructor(private readonly options: AuditKeeperOptions) {
    this.#now = options.now ?? Date.now
  }

  start(): void {
    this.#timer = setInterval(() => void this.keep(), TICK)
    this.#timer.unref()
  }

  /** Anchors and cuts where it is due. Does not fail: what could not be done is tried again. */
  keep(): Promise<void> {
    return this.#run(async () => {
      if (await this.#isDue()) await this.#anchor()
      if (this.options.retention > 0 && this.#now() - this.#lastCut >= CUT_EVERY) await this.#cut()
    })
  }

  /** With an anchor at the end, if there is anything new. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#run(async () => {
      const { store } = this.options
      if ((await store.lastAnchor())?.eventId !== (await store.head()).id) await this.#anchor()
    })
  }

  async #isDue(): Promise<boolean> {
    const { store } = this.options
    const head = await store.head()
    const last = await store.lastAnchor()
    const fresh = head.id - (last?.eventId ?? 0)
    // The first anchor of a chain comes at once: what was there before must not be changed either.
    return fresh > 0 && (!last || fresh >= ANCHOR_EVENTS || this.#now() - last.at.getTime() >= ANCHOR_AFTER)
  }

  async #anchor(): Promise<void> {
    const { store, seal, log } = this.options
    const at = new Date(this.#now())
    const anchor = await store.anchor((head) => seal.sign({ kind: 'anchor', eventId: head.id, hash: head.hash, at }))
    if (!anchor) return
    log.info({ event: anchor.eventId, hash: anchor.hash, mac: anchor.mac, key: anchor.keyId }, 'audit anchor')
  }

  async #cut(): Promise<void> {
    const { store, seal, log, retention } = this.options
    const now = this.#now()
    const anchors = (await store.anchorsBefore(new Date(now - retention))).filter((anchor) => seal.holds(anchor))
    const [first] = anchors
    if (!first) {
      this.#lastCut = now
      return
    }
    // What is left is cut at the next tick: a piece holds the database's lock for a moment only.
    const anchor = anchors.findLast(({ eventId }) => eventId <= first.eventId + CUT_EVENTS) ?? first
    const { eventId, hash } = anchor
    const cut = seal.sign({ kind: 'cut', eventId, hash, at: new Date(now) })
    const events = await store.cut(cut, (removed) => reportOf(eventId, removed, new Date(now)))
    log.info({ through: eventId, hash, mac: cut.mac, events }, 'audit events older than the retention were removed')
  }

  #run(work: () => Promise<void>): Promise<void> {
    this.#working = this.#working.then(work).catch((error: unknown) => {
      this.options.log.warn({ reason: messageOf(error) }, 'the audit chain cannot be anchored or cut now')
    })
    return this.#working
  }
}

function reportOf(through: number, events: number, at: Date): UnchainedEvent {
  const object = { id: 0, name: 'audit' }
  const actor = { kind: 'system', part: 'retention' } as const
  return unchainedEvent({ type: 'audit.cut', object, details: { through, events } }, actor, { at })
}
