import type { UploadJournal, UploadRecord } from '../../vfs/ports.js'
import type { SqliteConnection, SqlRow } from '../sqlite-connection.js'
import { SharedCommits } from '../shared-commits.js'

type NewUpload = Omit<UploadRecord, 'id' | 'backup'>

/** Milliseconds for which the ends of uploads are gathered. Only healing waits for one, and a row too many heals to nothing. */
const ENDS_WAIT = 20

/** Stands on the path of every upload: of however many at once, what they write is one statement and one fsync. */
export class DatabaseUploadJournal implements UploadJournal {
  readonly #begins = new SharedCommits<NewUpload, number>((uploads) => this.#insert(uploads))
  readonly #swaps = new SharedCommits<readonly [id: number, backup: string]>((swaps) => this.#setBackups(swaps))
  readonly #ends = new SharedCommits<number>((ids) => this.#remove(ids), ENDS_WAIT)

  constructor(private readonly connection: SqliteConnection) {}

  async begin(upload: NewUpload): Promise<number> {
    return this.#begins.add(upload)
  }

  async swapping(id: number, backup: string): Promise<void> {
    await this.#swaps.add([id, backup])
  }

  async end(id: number): Promise<void> {
    await this.#ends.add(id)
  }

  async leftovers(running: ReadonlySet<number>): Promise<UploadRecord[]> {
    const rows = await this.connection.all('SELECT * FROM upload_journal ORDER BY id')
    return rows.map(uploadOf).filter((upload) => !running.has(upload.id))
  }

  /** @returns their ids in the order of `uploads`: ids grow from row to row, while those returned may come in any order. */
  async #insert(uploads: readonly NewUpload[]): Promise<number[]> {
    const rows = await this.connection.write(
      `INSERT INTO upload_journal (permission_id, server_id, temporary, target, started_at)
       SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 FROM json_each(?) ORDER BY key
       RETURNING id`,
      JSON.stringify(uploads.map((u) => [u.permissionId, u.serverId, u.temporary, u.target, u.startedAt])),
    )
    return rows.map(({ id }) => Number(id)).sort((a, b) => a - b)
  }

  async #setBackups(swaps: readonly (readonly [id: number, backup: string])[]): Promise<void> {
    await this.connection.write(
      `UPDATE upload_journal SET backup = value ->> 1 FROM json_each(?) WHERE upload_journal.id = value ->> 0`,
      JSON.stringify(swaps),
    )
  }

  async #remove(ids: readonly number[]): Promise<void> {
    await this.connection.write(
      'DELETE FROM upload_journal WHERE id IN (SELECT value FROM json_each(?))',
      JSON.stringify(ids),
    )
  }
}

function uploadOf(row: SqlRow): UploadRecord {
  return {
    id: Number(row['id']),
    permissionId: Number(row['permission_id']),
    serverId: Number(row['server_id']),
    temporary: String(row['temporary']),
    target: String(row['target']),
    backup: typeof row['backup'] === 'string' ? row['backup'] : undefined,
    startedAt: Number(row['started_at']),
  }
}
