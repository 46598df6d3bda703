import { dateOfSql, sqlDate } from '../sql-date.js'
import type { SqliteConnection, SqlValue } from '../sqlite-connection.js'

export interface Usage {
  readonly lastUsedAt?: Date
  readonly loginRejectedAt?: Date
}

/** What is written of one permission: undefined leaves what is there, null forgets it. */
export interface UsageChange {
  readonly permissionId: number
  readonly lastUsedAt: Date | undefined
  readonly loginRejectedAt: Date | null | undefined
}

/** When permissions were used last. */
export class DatabaseUsageStore {
  constructor(
    private readonly reader: SqliteConnection,
    private readonly writer: SqliteConnection,
  ) {}

  /** All of it in one transaction; permissions that are gone are passed over. @throws DatabaseError */
  async save(changes: readonly UsageChange[]): Promise<void> {
    const rows = changes.map(({ permissionId, lastUsedAt, loginRejectedAt }) => [
      permissionId,
      lastUsedAt ? sqlDate(lastUsedAt) : null,
      loginRejectedAt ? sqlDate(loginRejectedAt) : null,
      loginRejectedAt === undefined ? 0 : 1,
    ])
    const [id, used, rejected, told] = [0, 1, 2, 3].map((index) => `json_extract(value, '$[${index}]')`)
    await this.writer.transaction((run) =>
      run(
        `INSERT INTO permission_usage (permission_id, last_used_at, login_rejected_at)
         SELECT ${id}, ${used}, ${rejected} FROM json_each(?) WHERE ${told} = 1 AND ${id} IN (SELECT id FROM permissions)
         ON CONFLICT (permission_id) DO UPDATE SET
           last_used_at = COALESCE(excluded.last_used_at, last_used_at), login_rejected_at = excluded.login_rejected_at`,
        JSON.stringify(rows),
      ).then(() =>
        run(
          `INSERT INTO permission_usage (permission_id, last_used_at)
           SELECT ${id}, ${used} FROM json_each(?) WHERE ${told} = 0 AND ${id} IN (SELECT id FROM permissions)
           ON CONFLICT (permission_id) DO UPDATE SET last_used_at = COALESCE(excluded.last_used_at, last_used_at)`,
          JSON.stringify(rows),
        ),
      ),
    )
  }

  /** Those that were used, or tried, at all. @throws DatabaseError */
  async of(permissionIds: readonly number[]): Promise<Map<number, Usage>> {
    const rows = await this.reader.all(
      'SELECT * FROM permission_usage WHERE permission_id IN (SELECT value FROM json_each(?))',
      JSON.stringify(permissionIds),
    )
    return new Map(
      rows.map((row) => [
        Number(row['permission_id']),
        {
          ...moment('lastUsedAt', row['last_used_at']),
          ...moment('loginRejectedAt', row['login_rejected_at']),
        },
      ]),
    )
  }
}

function moment<Name extends string>(name: Name, value: SqlValue | undefined): { [K in Name]?: Date } {
  return typeof value === 'string' ? ({ [name]: dateOfSql(value) } as { [K in Name]: Date }) : {}
}
