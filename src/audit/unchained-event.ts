import type { UnchainedEvent } from '../db/stores/audit-store.js'
import { actorName, type Actor } from './actor.js'
import type { AuditEvent, Outcome } from './audit-event.js'

export interface EventOptions {
  /** Default: now. */
  readonly at?: Date
  readonly outcome?: Outcome
  readonly requestId?: string | undefined
}

/** An event as it is stored, before it has its place in the chain. */
export function unchainedEvent(
  { type, object, details }: AuditEvent,
  actor: Actor,
  { at = new Date(), outcome = 'ok', requestId }: EventOptions = {},
): UnchainedEvent {
  return {
    at,
    type,
    outcome,
    actorKind: actor.kind,
    actorId: 'userId' in actor ? actor.userId : null,
    actorName: actorName(actor),
    address: 'address' in actor ? actor.address : null,
    objectId: object.id,
    objectName: object.name,
    requestId: requestId ?? null,
    details: JSON.stringify(details),
  }
}
