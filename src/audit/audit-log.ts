import { Op, type Transaction } from 'sequelize'
import type { Database } from '../db/database.js'
import type { AuditEventRow } from '../db/models/audit-event.js'
import { actorName, type Actor } from './actor.js'
import type { AuditEvent } from './audit-event.js'

export interface AuditRecord {
  readonly id: number
  readonly at: Date
  readonly type: string
  readonly actorKind: string
  readonly actorName: string
  readonly address: string | undefined
  readonly objectId: number
  readonly objectName: string
  readonly details: Readonly<Record<string, unknown>>
}

/** Append-only: the database refuses to change or delete a row. */
export class AuditLog {
  constructor(private readonly database: Database) {}

  /** Stands in the transaction of the change: no record, no change. */
  async record(event: AuditEvent, actor: Actor, transaction: Transaction): Promise<void> {
    await this.database.models.AuditEvent.create(
      {
        at: new Date(),
        type: event.type,
        actorKind: actor.kind,
        actorId: 'userId' in actor ? actor.userId : null,
        actorName: actorName(actor),
        address: 'address' in actor ? actor.address : null,
        objectId: event.object.id,
        objectName: event.object.name,
        details: JSON.stringify(event.details),
      },
      { transaction },
    )
  }

  /**
   * The newest first.
   * @param limit at most 1000
   * @param before only events with a smaller id, for the next page
   */
  async list(limit = 100, before?: number): Promise<AuditRecord[]> {
    const rows = await this.database.read(() =>
      this.database.models.AuditEvent.findAll({
        where: before === undefined ? {} : { id: { [Op.lt]: before } },
        order: [['id', 'DESC']],
        limit: Math.min(limit, 1000),
      }),
    )
    return rows.map(recordOf)
  }
}

function recordOf(row: AuditEventRow): AuditRecord {
  return {
    id: row.id,
    at: row.at,
    type: row.type,
    actorKind: row.actorKind,
    actorName: row.actorName,
    address: row.address ?? undefined,
    objectId: row.objectId,
    objectName: row.objectName,
    details: JSON.parse(row.details) as Record<string, unknown>,
  }
}
