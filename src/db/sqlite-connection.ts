import sqlite3 from 'sqlite3'
import { DatabaseError, translateDatabaseError } from './errors.js'

export type SqlValue = string | number | null
export type SqlRow = Readonly<Record<string, SqlValue>>

/**
 * One connection of its own to the SQLite file, with prepared statements that are kept: for what stands on the path of
 * requests (locks, properties, upload journal, revision). Statements run one after the other, so that a locked database
 * holds one thread of libuv's pool and not all of them.
 */
export class SqliteConnection {
  readonly #statements = new Map<string, sqlite3.Statement>()
  #tail: Promise<unknown> = Promise.resolve()
  /** The last write did not get the lock of the file. */
  #lockedOut = false

  private constructor(
    readonly database: sqlite3.Database,
    private readonly busyTimeoutMs: number,
  ) {}

  /** @param file an existing database; it is never created here */
  static async open(file: string, busyTimeoutMs: number): Promise<SqliteConnection> {
    const database = await new Promise<sqlite3.Database>((resolve, reject) => {
      const opened = new ConfiguredDatabase(file, sqlite3.OPEN_READWRITE, (error) => {
        if (error) reject(translateDatabaseError(error))
        else resolve(opened)
      })
      opened.configure('busyTimeout', busyTimeoutMs)
    })
    return new SqliteConnection(database, busyTimeoutMs)
  }

  /** Rows of one statement. */
  all(sql: string, ...values: SqlValue[]): Promise<SqlRow[]> {
    return this.#enqueue(() => this.#all(sql, values))
  }

  /** One statement that writes, as a transaction of its own: committed when it resolves. @returns what it says by `RETURNING` */
  write(sql: string, ...values: SqlValue[]): Promise<SqlRow[]> {
    const since = performance.now()
    return this.#enqueue(() => this.#locking(since, () => this.#all(sql, values)))
  }

  /** Several statements as one transaction: all of them or none. */
  transaction<T>(work: (run: Run, all: All) => Promise<T>): Promise<T> {
    const since = performance.now()
    return this.#enqueue(async () => {
      await this.#locking(since, () => this.#run('BEGIN IMMEDIATE', []))
      try {
        const result = await work(
          (sql, ...values) => this.#run(sql, values),
          (sql, ...values) => this.#all(sql, values),
        )
        await this.#run('COMMIT', [])
        return result
      } catch (error) {
        // SQLite has rolled back already after some errors (full disk, I/O): then there is nothing to roll back.
        await this.#run('ROLLBACK', []).catch(() => undefined)
        throw error
      }
    })
  }

  /** Waits for what is under way, then closes. */
  async close(): Promise<void> {
    await this.#tail
    await Promise.all([...this.#statements.values()].map((s) => new Promise<void>((done) => s.finalize(() => done()))))
    this.#statements.clear()
    await new Promise<void>((resolve, reject) => {
      this.database.close((error) => (error ? reject(error) : resolve()))
    })
  }

  /**
   * Runs the statement that takes the lock of the file. While another process holds it, those in line behind one that waited
   * in vain do not each wait that long again.
   */
  async #locking<T>(since: number, statement: () => Promise<T>): Promise<T> {
    if (this.#lockedOut && performance.now() - since >= this.busyTimeoutMs) throw busy()
    try {
      const result = await statement()
      this.#lockedOut = false
      return result
    } catch (thrown) {
      const error = translateDatabaseError(thrown)
      this.#lockedOut = error instanceof DatabaseError && error.code === 'DATABASE_BUSY'
      throw error
    }
  }

  #enqueue<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(work).catch((error: unknown) => {
      throw translateDatabaseError(error)
    })
    this.#tail = result.then(nothing, nothing)
    return result
  }

  async #run(sql: string, values: SqlValue[]): Promise<RunResult> {
    const statement = await this.#prepare(sql)
    return new Promise((resolve, reject) => {
      statement.run(values, function (error) {
        if (error) failed(statement, error, reject)
        else resolve({ lastId: this.lastID, changes: this.changes })
      })
    })
  }

  async #all(sql: string, values: SqlValue[]): Promise<SqlRow[]> {
    const statement = await this.#prepare(sql)
    return new Promise((resolve, reject) => {
      statement.all<SqlRow>(values, (error, rows) => (error ? failed(statement, error, reject) : resolve(rows)))
    })
  }

  /** The set of statements is that of the source code, and thereby bounded. */
  async #prepare(sql: string): Promise<sqlite3.Statement> {
    const known = this.#statements.get(sql)
    if (known) return known
    const statement = await new Promise<sqlite3.Statement>((resolve, reject) => {
      const prepared = this.database.prepare(sql, (error) => (error ? reject(error) : resolve(prepared)))
    })
    this.#statements.set(sql, statement)
    return statement
  }
}

export interface RunResult {
  readonly lastId: number
  readonly changes: number
}

export type Run = (sql: string, ...values: SqlValue[]) => Promise<RunResult>
export type All = (sql: string, ...values: SqlValue[]) => Promise<SqlRow[]>

function nothing(): void {}

/**
 * node-sqlite3 leaves a statement that failed as it is. After SQLITE_BUSY SQLite counts it as one that still writes: until it is
 * reset, nothing on this connection is committed, and when it runs again everything since then is rolled back.
 */
function failed(statement: sqlite3.Statement, error: Error, reject: (error: Error) => void): void {
  statement.reset(() => reject(error))
}

function busy(): DatabaseError {
  return new DatabaseError('DATABASE_BUSY', 'Another process holds the database.', { retryAfterSeconds: 2 })
}

/** Whether SQLite says that a file is no database, or a damaged one. */
export function isDamage(error: unknown): boolean {
  return /SQLITE_(NOTADB|CORRUPT)/.test(error instanceof Error ? error.message : '')
}

/**
 * A connection that has its settings before its first statement: they hold per connection, and Sequelize opens one for
 * every transaction.
 *
 * `synchronous=FULL`: a commit is on the disk when it returns. `NORMAL` would do for a killed process, but not for a power
 * cut: an upload whose journal row is lost leaves, in the middle of a swap, the user's only copy under a backup name that
 * nobody knows. What that costs is one fsync per commit; the journal shares it among the uploads that wait.
 */
export class ConfiguredDatabase extends sqlite3.Database {
  constructor(file: string, mode: number, callback: (error: Error | null) => void) {
    super(file, mode, callback)
    this.once('open', () => {
      // A connection without its settings is not used. In a damaged file every statement fails by itself, and says so.
      this.exec('PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF', (error) => {
        if (error && !isDamage(error)) this.close()
      })
    })
  }
}
