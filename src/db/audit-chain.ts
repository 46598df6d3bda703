import { hash } from 'node:crypto'

/** What stands before the first event. */
export const GENESIS = '0'.repeat(64)

/** What the hash of an event covers: everything that its row says. */
export interface ChainedEvent {
  readonly id: number
  readonly at: Date
  readonly type: string
  readonly outcome: string
  readonly actorKind: string
  readonly actorId: number | null
  readonly actorName: string
  readonly address: string | null
  readonly objectId: number
  readonly objectName: string
  readonly requestId: string | null
  /** JSON as it is stored. */
  readonly details: string
}

/**
 * `SHA-256(previous hash | canonical JSON of the event)` in hex. Canonical as in RFC 8785: names in order, no blanks. A
 * version that changes this must be able to tell which events were hashed the old way.
 */
export function eventHash(previous: string, id: number, event: Omit<ChainedEvent, 'id'>): string {
  const canonical = JSON.stringify({
    actorId: event.actorId,
    actorKind: event.actorKind,
    actorName: event.actorName,
    address: event.address,
    at: event.at.toISOString(),
    details: event.details,
    id,
    objectId: event.objectId,
    objectName: event.objectName,
    outcome: event.outcome,
    requestId: event.requestId,
    type: event.type,
  })
  return hash('sha256', `${previous}|${canonical}`)
}
