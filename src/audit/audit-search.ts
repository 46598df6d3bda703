import { col, fn, Op, where, type WhereOptions } from 'sequelize'
import type { AuditEventRow } from '../db/models/audit-event.js'
import type { Outcome } from './audit-event.js'

/** Every part that is given must fit. */
export interface AuditFilter {
  /** Name of who did it, exactly; that of a user also finds what came with one of the user's app passwords and tokens. */
  readonly actor?: string | undefined
  readonly actorId?: number | undefined
  /** Beginning of the type: `file.`, `user.created`. */
  readonly type?: string | undefined
  /** Name of what it is about, exactly. */
  readonly object?: string | undefined
  readonly objectId?: number | undefined
  readonly outcome?: Outcome | undefined
  readonly from?: Date | undefined
  /** Not included. */
  readonly to?: Date | undefined
  /** Stands somewhere in the names, the address or the details. */
  readonly text?: string | undefined
}

export function whereOf(filter: AuditFilter): WhereOptions<AuditEventRow> {
  const conditions: WhereOptions<AuditEventRow>[] = []
  if (filter.actor !== undefined) conditions.push({ actorName: { [Op.or]: [filter.actor, withToken(filter.actor)] } })
  if (filter.actorId !== undefined) conditions.push({ actorId: filter.actorId })
  // A range, so that the index serves it; no type holds a character above `~`.
  if (filter.type !== undefined) conditions.push({ type: { [Op.gte]: filter.type, [Op.lt]: `${filter.type}\u007f` } })
  if (filter.object !== undefined) conditions.push({ objectName: filter.object })
  if (filter.objectId !== undefined) conditions.push({ objectId: filter.objectId })
  if (filter.outcome !== undefined) conditions.push({ outcome: filter.outcome })
  if (filter.from !== undefined) conditions.push({ at: { [Op.gte]: filter.from } })
  if (filter.to !== undefined) conditions.push({ at: { [Op.lt]: filter.to } })
  if (filter.text !== undefined && filter.text !== '') conditions.push(containing(filter.text))
  return { [Op.and]: conditions }
}

/** `anna (laptop)`, as a range for the index. */
function withToken(name: string) {
  return { [Op.gte]: `${name} (`, [Op.lt]: `${name} )` }
}

const SEARCHED = ['actor_name', 'object_name', 'address', 'request_id', 'details'] as const

/** Not by LIKE, whose wildcards the text may hold. Letters beyond ASCII count with their case. */
function containing(text: string): WhereOptions<AuditEventRow> {
  const wanted = text.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
  // As it stands in JSON: quotes and backslashes escaped.
  const inJson = JSON.stringify(wanted).slice(1, -1)
  const searched = SEARCHED.map((name) =>
    where(fn('instr', fn('lower', col(name)), name === 'details' ? inJson : wanted), Op.gt, 0),
  )
  return { [Op.or]: searched }
}
