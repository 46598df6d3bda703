import { eventHash, GENESIS, type ChainedEvent } from '../audit-chain.js'
import { dateOfSql, sqlDate } from '../sql-date.js'
import type { All, Run, SqliteConnection, SqlRow } from '../sqlite-connection.js'

/** An event that has no place in the chain yet. */
export type UnchainedEvent = Omit<ChainedEvent, 'id'>

/** The newest event; the genesis when there is none. */
export interface ChainHead {
  readonly id: number
  readonly hash: string
}

export interface StoredEvent extends ChainedEvent {
  readonly prevHash: string
  readonly hash: string
}

export interface StoredAnchor extends NewAnchor {
  readonly id: number
}

export interface NewAnchor {
  readonly kind: string
  readonly eventId: number
  readonly hash: string
  readonly at: Date
  readonly keyId: string
  readonly mac: string
}

/** A setting that is written in the same transaction as events. */
export interface Mark {
  readonly name: string
  readonly value: string
}

const COLUMNS =
  'id, at, type, outcome, actor_kind, actor_id, actor_name, address, object_id, object_name, request_id, details, prev_hash, hash'
const VALUES = COLUMNS.split(', ')
  .map((_, index) => `json_extract(value, '$[${index}]')`)
  .join(', ')

/**
 * The audit chain beside the ORM: whole batches in one statement, and rows exactly as they are stored. Services that
 * record an event with their change use the model, in their transaction.
 */
export class DatabaseAuditStore {
  constructor(
    private readonly reader: SqliteConnection,
    private readonly writer: SqliteConnection,
  ) {}

  /**
   * Appends the events in order, all of them or none. @throws DatabaseError
   * @param mark set together with them
   */
  append(events: readonly UnchainedEvent[], mark?: Mark): Promise<ChainHead> {
    return this.writer.transaction(async (run, all) => {
      let head = await headOf(all)
      const rows = events.map((event) => {
        const id = head.id + 1
        const hash = eventHash(head.hash, id, event)
        const row = [id, sqlDate(event.at), event.type, event.outcome, event.actorKind, event.actorId, event.actorName]
        row.push(event.address, event.objectId, event.objectName, event.requestId, event.details, head.hash, hash)
        head = { id, hash }
        return row
      })
      await run(
        `INSERT INTO audit_events (${COLUMNS}) SELECT ${VALUES} FROM json_each(?) ORDER BY key`,
        JSON.stringify(rows),
      )
      if (mark) await setMark(run, mark)
      return head
    })
  }

  async head(): Promise<ChainHead> {
    return headOf((sql, ...values) => this.reader.all(sql, ...values))
  }

  /** In order, those after the event `id`. */
  async after(id: number, limit: number): Promise<StoredEvent[]> {
    const rows = await this.reader.all(
      `SELECT ${COLUMNS} FROM audit_events WHERE id > ? ORDER BY id LIMIT ?`,
      id,
      limit,
    )
    return rows.map(eventOf)
  }

  /** The highest number that an event has ever had, whether it is still there or not. */
  async highest(): Promise<number> {
    const [row] = await this.reader.all(`SELECT seq FROM sqlite_sequence WHERE name = 'audit_events'`)
    return Number(row?.['seq'] ?? 0)
  }

  /** By event, then by their own age. */
  async anchors(): Promise<StoredAnchor[]> {
    return (await this.reader.all('SELECT * FROM audit_anchors ORDER BY event_id, id')).map(anchorOf)
  }

  async lastAnchor(): Promise<StoredAnchor | undefined> {
    const rows = await this.reader.all('SELECT * FROM audit_anchors ORDER BY id DESC LIMIT 1')
    return rows.map(anchorOf)[0]
  }

  /** Where the chain can be cut: anchors that were set before `at`, in order, at most 1000. */
  async anchorsBefore(at: Date): Promise<StoredAnchor[]> {
    const rows = await this.reader.all(
      `SELECT * FROM audit_anchors WHERE kind = 'anchor' AND at < ?
         AND event_id > (SELECT COALESCE(MAX(event_id), 0) FROM audit_anchors WHERE kind = 'cut')
       ORDER BY event_id LIMIT 1000`,
      sqlDate(at),
    )
    return rows.map(anchorOf)
  }

  /** Anchors the chain as it stands within the transaction. */
  anchor(sign: (head: ChainHead) => NewAnchor): Promise<NewAnchor | undefined> {
    return this.writer.transaction(async (run, all) => {
      const head = await headOf(all)
      if (head.id === 0) return undefined
      const anchor = sign(head)
      await addAnchor(run, anchor)
      return anchor
    })
  }

  /**
   * Removes what lies up to the event that `cut` names, and the anchors before it.
   * @param report the event that tells of it, appended in the same transaction: the chain is never empty
   * @returns how many events went
   */
  cut(cut: NewAnchor, report: (removed: number) => UnchainedEvent): Promise<number> {
    return this.writer.transaction(async (run, all) => {
      const head = await headOf(all)
      await addAnchor(run, cut)
      const [row] = await all('SELECT COUNT(*) AS count FROM audit_events WHERE id <= ?', cut.eventId)
      const event = report(Number(row?.['count'] ?? 0))
      const id = head.id + 1
      await run(
        `INSERT INTO audit_events (${COLUMNS}) VALUES (${VALUES.replaceAll(/json_extract\([^)]*\)/g, '?')})`,
        ...[id, sqlDate(event.at), event.type, event.outcome, event.actorKind, event.actorId, event.actorName],
        ...[event.address, event.objectId, event.objectName, event.requestId, event.details],
        ...[head.hash, eventHash(head.hash, id, event)],
      )
      const { changes } = await run('DELETE FROM audit_events WHERE id <= ?', cut.eventId)
      await run('DELETE FROM audit_anchors WHERE event_id < ?', cut.eventId)
      return changes
    })
  }

  async mark(name: string): Promise<string | undefined> {
    const [row] = await this.reader.all('SELECT value FROM settings WHERE name = ?', name)
    return row === undefined ? undefined : String(row['value'])
  }
}

async function headOf(all: All): Promise<ChainHead> {
  const [row] = await all('SELECT id, hash FROM audit_events ORDER BY id DESC LIMIT 1')
  return row === undefined ? { id: 0, hash: GENESIS } : { id: Number(row['id']), hash: String(row['hash']) }
}

async function addAnchor(run: Run, { kind, eventId, hash, at, keyId, mac }: NewAnchor): Promise<void> {
  await run(
    'INSERT INTO audit_anchors (kind, event_id, hash, at, key_id, mac) VALUES (?, ?, ?, ?, ?, ?)',
    ...[kind, eventId, hash, sqlDate(at), keyId, mac],
  )
}

async function setMark(run: Run, { name, value }: Mark): Promise<void> {
  await run(
    'INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
    name,
    value,
  )
}

function eventOf(row: SqlRow): StoredEvent {
  return {
    id: Number(row['id']),
    at: dateOfSql(String(row['at'])),
    type: String(row['type']),
    outcome: String(row['outcome']),
    actorKind: String(row['actor_kind']),
    actorId: row['actor_id'] === null ? null : Number(row['actor_id']),
    actorName: String(row['actor_name']),
    address: textOrNull(row['address']),
    objectId: Number(row['object_id']),
    objectName: String(row['object_name']),
    requestId: textOrNull(row['request_id']),
    details: String(row['details']),
    prevHash: String(row['prev_hash']),
    hash: String(row['hash']),
  }
}

function anchorOf(row: SqlRow): StoredAnchor {
  return {
    id: Number(row['id']),
    kind: String(row['kind']),
    eventId: Number(row['event_id']),
    hash: String(row['hash']),
    at: dateOfSql(String(row['at'])),
    keyId: String(row['key_id']),
    mac: String(row['mac']),
  }
}

function textOrNull(value: string | number | null | undefined): string | null {
  return value === null || value === undefined ? null : String(value)
}
