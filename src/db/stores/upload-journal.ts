import type { UploadJournal, UploadRecord } from '../../vfs/ports.js'
import type { Run, SqliteConnection, SqlRow } from '../sqlite-connection.js'

type Work = (run: Run) => Promise<number>

interface Waiting {
  readonly work: Work
  readonly resolve: (value: number) => void
  readonly reject: (error: unknown) => void
}

/** How long the end of an upload waits for the begin of another, to be committed with it. Milliseconds. */
const END_WAITS = 20

/**
 * Stands on the path of every upload. What arrives while a commit is under way is committed together afterwards: one
 * fsync for all of it, however many uploads there are. An end waits a little, since nobody waits for it: uploads one
 * after the other cost a commit each, not two.
 */
export class DatabaseUploadJournal implements UploadJournal {
  #waiting: Waiting[] = []
  #flushing = false
  #later: NodeJS.Timeout | undefined

  constructor(private readonly connection: SqliteConnection) {}

  begin(upload: Omit<UploadRecord, 'id' | 'backup'>): Promise<number> {
    return this.#commit(async (run) => {
      const { lastId } = await run(
        `INSERT INTO upload_journal (permission_id, server_id, temporary, target, started_at)
         VALUES (?, ?, ?, ?, ?)`,
        ...[upload.permissionId, upload.serverId, upload.temporary, upload.target, upload.startedAt],
      )
      return lastId
    })
  }

  async swapping(id: number, backup: string): Promise<void> {
    await this.#commit(
      async (run) => (await run('UPDATE upload_journal SET backup = ? WHERE id = ?', backup, id)).changes,
    )
  }

  async end(id: number): Promise<void> {
    await this.#commit(async (run) => (await run('DELETE FROM upload_journal WHERE id = ?', id)).changes, END_WAITS)
  }

  async leftovers(running: ReadonlySet<number>): Promise<UploadRecord[]> {
    const rows = await this.connection.all('SELECT * FROM upload_journal ORDER BY id')
    return rows.map(uploadOf).filter((upload) => !running.has(upload.id))
  }

  #commit(work: Work, mayWait = 0): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ work, resolve, reject })
      if (this.#flushing) return
      if (mayWait === 0) void this.#flush()
      else this.#later ??= setTimeout(() => void this.#flush(), mayWait)
    })
  }

  async #flush(): Promise<void> {
    this.#flushing = true
    clearTimeout(this.#later)
    this.#later = undefined
    while (this.#waiting.length > 0) {
      const batch = this.#waiting
      this.#waiting = []
      try {
        const results = await this.connection.transaction(async (run) => {
          const done: number[] = []
          for (const { work } of batch) done.push(await work(run))
          return done
        })
        for (const [index, { resolve }] of batch.entries()) resolve(results[index] ?? 0)
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    this.#flushing = false
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
