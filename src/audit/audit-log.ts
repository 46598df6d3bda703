import { Op, type Transaction } from 'sequelize'
import { eventHash, GENESIS } from '../db/audit-chain.js'
import type { Database } from '../db/database.js'
import type { AuditEventRow } from '../db/models/audit-event.js'
import type { Actor } from './actor.js'
import type { AuditEvent, Outcome } from './audit-event.js'
import type { AuditSeal } from './audit-seal.js'
import { whereOf, type AuditFilter } from './audit-search.js'
import { unchainedEvent, type EventOptions } from './unchained-event.js'
import { verifyChain, type KnownAnchor, type Verification } from './verify-chain.js'

export interface AuditRecord {
  /** Counts up without a gap. */
  readonly id: number
  readonly at: Date
  readonly type: string
  readonly outcome: Outcome
  readonly actorKind: string
  readonly actorId: number | undefined
  readonly actorName: string
  readonly address: string | undefined
  readonly objectId: number
  readonly objectName: string
  /** The request that caused it, as in the log and in `X-Request-Id`. */
  readonly requestId: string | undefined
  readonly details: Readonly<Record<string, unknown>>
}

export interface AuditSearch extends AuditFilter {
  /** At most 1000; default 100. */
  readonly limit?: number | undefined
  /** `next` of the page before. */
  readonly before?: number | undefined
}

export interface AuditPage {
  /** The newest first. */
  readonly items: readonly AuditRecord[]
  /** For the next page; undefined on the last one. */
  readonly next?: number
}

const MOST = 1000

/** Append-only, each event hashed with the one before it: the database refuses to change one, and `verify` finds who did. */
export class AuditLog {
  /** @param seal for `verify`; without it anchors count whoever made them */
  constructor(
    private readonly database: Database,
    private readonly seal?: AuditSeal,
  ) {}

  /** Stands in the transaction of the change: no record, no change. */
  async record(
    event: AuditEvent,
    actor: Actor,
    transaction: Transaction,
    options: Omit<EventOptions, 'at'> = {},
  ): Promise<void> {
    const { AuditEvent } = this.database.models
    // The transaction holds the write lock: nobody else appends meanwhile.
    const last = await AuditEvent.findOne({ attributes: ['id', 'hash'], order: [['id', 'DESC']], transaction })
    const prevHash = last?.hash ?? GENESIS
    const row = { ...unchainedEvent(event, actor, options), id: (last?.id ?? 0) + 1 }
    await AuditEvent.create({ ...row, prevHash, hash: eventHash(prevHash, row.id, row) }, { transaction })
  }

  /**
   * The newest first.
   * @param limit at most 1000
   * @param before only events with a smaller id, for the next page
   */
  async list(limit = 100, before?: number): Promise<readonly AuditRecord[]> {
    return (await this.search({ limit, before })).items
  }

  /** One page of what fits the filter. @throws DatabaseError */
  async search({ limit = 100, before, ...filter }: AuditSearch = {}): Promise<AuditPage> {
    const wanted = Math.max(1, Math.min(limit, MOST))
    const older = before === undefined ? [] : [{ id: { [Op.lt]: before } }]
    const rows = await this.database.read(() =>
      this.database.models.AuditEvent.findAll({
        where: { [Op.and]: [whereOf(filter), ...older] },
        order: [['id', 'DESC']],
        limit: wanted + 1,
      }),
    )
    const items = rows.slice(0, wanted).map(recordOf)
    const last = items.at(-1)
    return rows.length > wanted && last ? { items, next: last.id } : { items }
  }

  /** Everything that fits the filter and is there when it begins, the oldest first, read in pieces as it is taken. */
  async *entries(filter: AuditFilter = {}): AsyncGenerator<AuditRecord> {
    const { id: end } = await this.database.audit.head()
    for (let after = 0; ;) {
      const rows = await this.database.read(() =>
        this.database.models.AuditEvent.findAll({
          where: { [Op.and]: [whereOf(filter), { id: { [Op.gt]: after, [Op.lte]: end } }] },
          order: [['id', 'ASC']],
          limit: MOST,
        }),
      )
      for (const row of rows) yield recordOf(row)
      const last = rows.at(-1)
      if (rows.length < MOST || last === undefined) return
      after = last.id
    }
  }

  /**
   * Whether every event is what was recorded; the first one that is not.
   * @param known anchors from elsewhere that must be there too
   * @throws DatabaseError
   */
  verify(known: readonly KnownAnchor[] = []): Promise<Verification> {
    return verifyChain(this.database.audit, this.seal, known)
  }
}

function recordOf(row: AuditEventRow): AuditRecord {
  return {
    id: row.id,
    at: row.at,
    type: row.type,
    outcome: row.outcome as Outcome,
    actorKind: row.actorKind,
    actorId: row.actorId ?? undefined,
    actorName: row.actorName,
    address: row.address ?? undefined,
    objectId: row.objectId,
    objectName: row.objectName,
    requestId: row.requestId ?? undefined,
    details: JSON.parse(row.details) as Record<string, unknown>,
  }
}
