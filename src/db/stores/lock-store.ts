import type { LockRecord, LockScope, LockStore } from '../../vfs/ports.js'
import type { SqliteConnection, SqlRow } from '../sqlite-connection.js'

const COLUMNS = 'token, namespace, path, depth, scope, user_id, owner_xml, expires_at'

/** Milliseconds since the epoch, in the database's time. */
const NOW = `CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)`

export class DatabaseLockStore implements LockStore {
  constructor(private readonly connection: SqliteConnection) {}

  async load(): Promise<{ locks: LockRecord[]; now: number }> {
    const now = await this.connection
      .transaction(async (run) => {
        await run(`DELETE FROM dav_locks WHERE expires_at <= ${NOW}`)
      })
      .then(() => this.connection.all(`SELECT ${NOW} AS now`))
    const rows = await this.connection.all(`SELECT ${COLUMNS} FROM dav_locks`)
    return { locks: rows.map(lockOf), now: Number(now[0]?.['now']) }
  }

  async insert(lock: LockRecord): Promise<void> {
    await this.connection.all(
      `INSERT INTO dav_locks (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      lock.token,
      lock.namespace,
      lock.path,
      lock.depth,
      lock.scope,
      lock.userId,
      lock.ownerXml,
      lock.expiresAt,
    )
  }

  async refresh(token: string, expiresAt: number): Promise<void> {
    await this.connection.all('UPDATE dav_locks SET expires_at = ? WHERE token = ?', expiresAt, token)
  }

  async delete(tokens: readonly string[]): Promise<void> {
    if (tokens.length === 0) return
    await this.connection.transaction(async (run) => {
      for (const token of tokens) await run('DELETE FROM dav_locks WHERE token = ?', token)
    })
  }

  async former(userIds: readonly number[]): Promise<Set<number>> {
    const rows = await this.connection.all('SELECT id FROM users WHERE disabled = 0')
    const active = new Set(rows.map((row) => Number(row['id'])))
    return new Set(userIds.filter((id) => !active.has(id)))
  }
}

function lockOf(row: SqlRow): LockRecord {
  return {
    token: String(row['token']),
    namespace: String(row['namespace']),
    path: String(row['path']),
    depth: row['depth'] === '0' ? '0' : 'infinity',
    scope: row['scope'] as LockScope,
    userId: Number(row['user_id']),
    ownerXml: String(row['owner_xml']),
    expiresAt: Number(row['expires_at']),
  }
}
