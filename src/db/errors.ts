import { BaseError } from 'sequelize'
import { AppError } from '../errors.js'

export type DatabaseErrorCode =
  /** Locked by another process for longer than the busy timeout. Nothing was changed. */
  | 'DATABASE_BUSY'
  /** Cannot be read or written now: disk full, read-only, I/O error, damaged. */
  | 'DATABASE_UNAVAILABLE'
  /** Refused on opening: not ours, damaged, of a newer version, or locked by a key that is not there. */
  | 'DATABASE_UNUSABLE'

export class DatabaseError extends AppError {
  readonly retryAfterSeconds: number | undefined

  constructor(
    readonly code: DatabaseErrorCode,
    message: string,
    options: { cause?: unknown; retryAfterSeconds?: number } = {},
  ) {
    super(message, options)
    this.retryAfterSeconds = options.retryAfterSeconds
  }
}

/** Result codes of SQLite (https://www.sqlite.org/rescode.html) that say: not now. */
const BUSY = new Set(['SQLITE_BUSY', 'SQLITE_LOCKED', 'SQLITE_PROTOCOL'])
const UNAVAILABLE = new Set([
  'SQLITE_FULL',
  'SQLITE_READONLY',
  'SQLITE_IOERR',
  'SQLITE_CORRUPT',
  'SQLITE_NOTADB',
  'SQLITE_CANTOPEN',
  'SQLITE_NOMEM',
  'SQLITE_PERM',
])

function sqliteCode(error: unknown): string | undefined {
  const source = error instanceof BaseError && 'parent' in error ? error.parent : error
  if (source instanceof Error && 'code' in source && typeof source.code === 'string') return source.code
  return undefined
}

/**
 * What a failed statement means, once, where it enters: a `DatabaseError` for a database that cannot be used now,
 * anything else as it is. Messages of SQLite name tables and columns, never values.
 */
export function translateDatabaseError(thrown: unknown): Error {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown))
  if (error instanceof AppError) return error
  const code = sqliteCode(error)
  if (code === undefined) return error
  if (BUSY.has(code)) {
    return new DatabaseError('DATABASE_BUSY', 'The database is locked by another process.', {
      cause: error,
      retryAfterSeconds: 2,
    })
  }
  if (UNAVAILABLE.has(code)) {
    return new DatabaseError('DATABASE_UNAVAILABLE', `The database cannot be used now (${code}).`, {
      cause: error,
      retryAfterSeconds: 5,
    })
  }
  return error
}
