import { dateOfSql, sqlDate } from '../sql-date.js'
import type { SqliteConnection } from '../sqlite-connection.js'

export interface StoredSample {
  readonly serverId: number
  readonly at: Date
  readonly state: string
  readonly latencyMs: number | undefined
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
