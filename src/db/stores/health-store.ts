import { dateOfSql, sqlDate } from '../sql-date.js'
import type { SqliteConnection } from '../sqlite-connection.js'

export interface StoredSample {
  readonly serverId: number
  readonly at: Date
  readonly state: string
  readonly latencyMs: number | undefined
}

/** A registered server, as far as its health goes. */
export interface WatchedRow {
  readonly id: number
  readonly alias: string
  readonly protocol: string
  readonly host: string
  readonly port: number
  readonly enabled: boolean
  readonly version: number
  /** Whether anybody may use it now. */
  readonly permitted: boolean
}

/** How servers were, in steps of some minutes. */
export class DatabaseHealthStore {
  constructor(
    private readonly reader: SqliteConnection,
    private readonly writer: SqliteConnection,
  ) {}

  /** Writes the samples and removes what is older than `oldest`. Servers that are gone are passed over. @throws DatabaseError */
  async save(samples: readonly StoredSample[], oldest: Date): Promise<void> {
    const rows = samples.map(({ serverId, at, state, latencyMs }) => [serverId, sqlDate(at), state, latencyMs ?? null])
    const [id, at, state, latency] = [0, 1, 2, 3].map((index) => `json_extract(value, '$[${index}]')`)
    await this.writer.transaction(async (run) => {
      await run(
        `INSERT OR REPLACE INTO server_health_samples (server_id, at, state, latency_ms)
         SELECT ${id}, ${at}, ${state}, ${latency} FROM json_each(?) WHERE ${id} IN (SELECT id FROM servers)`,
        JSON.stringify(rows),
      )
      await run('DELETE FROM server_health_samples WHERE at < ?', sqlDate(oldest))
    })
  }

  /** @throws DatabaseError */
  async servers(now: Date): Promise<WatchedRow[]> {
    const rows = await this.reader.all(
      `SELECT *, EXISTS (
         SELECT 1 FROM permissions JOIN users ON users.id = permissions.user_id
         WHERE server_id = servers.id AND NOT users.disabled AND (ends_at IS NULL OR ends_at > ?)
       ) AS permitted FROM servers ORDER BY id`,
      sqlDate(now),
    )
    return rows.map((row) => ({
      id: Number(row['id']),
      alias: String(row['alias']),
      protocol: String(row['protocol']),
      host: String(row['host']),
      port: Number(row['port']),
      enabled: row['enabled'] === 1,
      version: Number(row['version']),
      permitted: row['permitted'] === 1,
    }))
  }

  /** The oldest first. @throws DatabaseError */
  async of(serverId: number, from: Date): Promise<StoredSample[]> {
    const rows = await this.reader.all(
      'SELECT * FROM server_health_samples WHERE server_id = ? AND at >= ? ORDER BY at',
      serverId,
      sqlDate(from),
    )
    return rows.map((row) => ({
      serverId,
      at: dateOfSql(String(row['at'])),
      state: String(row['state']),
      latencyMs: row['latency_ms'] === null ? undefined : Number(row['latency_ms']),
    }))
  }
}
