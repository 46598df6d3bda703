import { QueryTypes, Sequelize, Transaction } from 'sequelize'
import sqlite3 from 'sqlite3'
import { databaseFileOf, prepareDatabaseFile } from './database-file.js'
import { DatabaseError, translateDatabaseError } from './errors.js'
import { migrate, pendingMigrations } from './migrate.js'
import { defineModels, type Models } from './models/define-models.js'
import { RevisionCounter } from './revision.js'
import { APPLICATION_ID, checkSchema, refuseForeignFile } from './schema-check.js'
import { ConfiguredDatabase, SqliteConnection } from './sqlite-connection.js'
import { DatabaseAuditStore } from './stores/audit-store.js'
import { DatabaseHealthStore } from './stores/health-store.js'
import { DatabaseLockStore } from './stores/lock-store.js'
import { DatabasePropertyStore } from './stores/property-store.js'
import { DatabaseUploadJournal } from './stores/upload-journal.js'
import { DatabaseUsageStore } from './stores/usage-store.js'

export interface DatabaseOptions {
  /** Holds the SQLite file unless `url` names another; made with mode 0700 when missing. */
  readonly dataDir: string
  /** `sqlite:/path/to/file`; undefined: `ftpcluster.sqlite` in `dataDir`. */
  readonly url?: string | undefined
  /** False: the file must be there. */
  readonly create?: boolean
  /** False: pending migrations are an error. */
  readonly migrate?: boolean
  /** Milliseconds that a statement waits for another process' lock. */
  readonly busyTimeoutMs?: number
}

export type { Transaction }

/** Changes that wait for their turn at most: each holds a request. */
const MAX_WAITING = 100

/** Opened once per process; services and stores share it. */
export class Database {
  readonly locks: DatabaseLockStore
  readonly properties: DatabasePropertyStore
  readonly uploads: DatabaseUploadJournal
  readonly audit: DatabaseAuditStore
  readonly usage: DatabaseUsageStore
  readonly health: DatabaseHealthStore
  readonly revision: RevisionCounter
  #tail: Promise<unknown> = Promise.resolve()
  #waiting = 0

  constructor(
    readonly file: string,
    readonly sequelize: Sequelize,
    readonly models: Models,
    /** Migrations that ran while opening. */
    readonly migrated: readonly string[],
    private readonly reader: SqliteConnection,
    private readonly writer: SqliteConnection,
  ) {
    this.locks = new DatabaseLockStore(writer)
    this.properties = new DatabasePropertyStore(reader, writer)
    this.uploads = new DatabaseUploadJournal(writer)
    this.audit = new DatabaseAuditStore(reader, writer)
    this.usage = new DatabaseUsageStore(reader, writer)
    this.health = new DatabaseHealthStore(reader, writer)
    this.revision = new RevisionCounter(reader)
  }

  /**
   * Runs `work` in one transaction that has the write lock from its start, or in `outer` when the caller has one already. Own transactions run one
   * after the other, so that none waits in a thread for another.
   * @throws DatabaseError; whatever `work` throws, with everything rolled back
   */
  async transaction<T>(work: (transaction: Transaction) => Promise<T>, outer?: Transaction): Promise<T> {
    if (outer) return work(outer)
    if (this.#waiting >= MAX_WAITING) {
      throw new DatabaseError('DATABASE_BUSY', 'Too many changes wait for the database.', { retryAfterSeconds: 2 })
    }
    this.#waiting++
    const result = this.#tail
      .then(() =>
        this.sequelize.transaction({ type: Transaction.TYPES.DEFERRED }, async (transaction) => {
          await this.#lock(transaction)
          return work(transaction)
        }),
      )
      .catch((error: unknown) => {
        throw translateDatabaseError(error)
      })
      .finally(() => this.#waiting--)
    this.#tail = result.catch(() => undefined)
    return result
  }

  /**
   * A transaction that may alter who may reach what: the revision grows with it, and when this resolves, every watcher of
   * this process has taken notice. Within `outer`, the owner of `outer` answers for the revision.
   */
  async change<T>(work: (transaction: Transaction) => Promise<T>, outer?: Transaction): Promise<T> {
    if (outer) return work(outer)
    const { result, revision } = await this.transaction(async (transaction) => {
      const result = await work(transaction)
      return { result, revision: await this.#nextRevision(transaction) }
    })
    await this.revision.announce(revision)
    return result
  }

  /** Writes something that changes nothing. @throws DatabaseError when nothing can be written */
  async write(): Promise<void> {
    await this.writer.write('UPDATE revision SET value = value WHERE id = 1')
  }

  /** Reads without a transaction. @throws DatabaseError */
  async read<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw translateDatabaseError(error)
    }
  }

  /** Waits for what is under way, then closes every connection. */
  async close(): Promise<void> {
    await this.#tail
    await Promise.all([this.reader.close(), this.writer.close()])
    await closeSequelize(this.sequelize)
  }

  /**
   * As `BEGIN IMMEDIATE`, by writing before anything is read. Sequelize, when a `BEGIN` fails on a locked database, tries to
   * roll back what never began, complains on the console and loses the connection.
   */
  async #lock(transaction: Transaction): Promise<void> {
    await this.sequelize.query('UPDATE revision SET value = value WHERE id = 1', { transaction })
  }

  async #nextRevision(transaction: Transaction): Promise<number> {
    await this.sequelize.query('UPDATE revision SET value = value + 1 WHERE id = 1', { transaction })
    const rows = await this.sequelize.query<{ value: number }>('SELECT value FROM revision WHERE id = 1', {
      type: QueryTypes.SELECT,
      transaction,
    })
    return rows[0]?.value ?? 0
  }
}

/**
 * Opens the database: made when new, refused when damaged, foreign or of a newer version, brought up to date otherwise.
 * @throws DatabaseError with a message for the admin
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const file = databaseFileOf(options.url, options.dataDir)
  const busyTimeoutMs = options.busyTimeoutMs ?? 5000
  const isNew = await prepareDatabaseFile(file, options.create ?? true)
  const sequelize = connect(file, busyTimeoutMs)
  const connections: SqliteConnection[] = []
  try {
    if (isNew) await claim(sequelize)
    else await refuseForeignFile(sequelize, file)
    const migrated = await bringUpToDate(sequelize, options.migrate ?? true)
    const models = defineModels(sequelize)
    await checkSchema(sequelize, models)
    connections.push(await SqliteConnection.open(file, busyTimeoutMs))
    connections.push(await SqliteConnection.open(file, busyTimeoutMs))
    const [reader, writer] = connections as [SqliteConnection, SqliteConnection]
    return new Database(file, sequelize, models, migrated, reader, writer)
  } catch (error) {
    for (const connection of connections) await connection.close()
    await closeSequelize(sequelize)
    throw translateDatabaseError(error)
  }
}

/**
 * With one database class for all connections of Sequelize, because it opens one for each transaction and sets nothing
 * but foreign keys on it.
 */
function connect(file: string, busyTimeoutMs: number): Sequelize {
  class SequelizeDatabase extends ConfiguredDatabase {
    constructor(storage: string, mode: number, callback: (error: Error | null) => void) {
      super(storage, mode, callback)
      this.configure('busyTimeout', busyTimeoutMs)
    }
  }
  return new Sequelize({
    dialect: 'sqlite',
    dialectModule: { ...sqlite3, Database: SequelizeDatabase },
    dialectOptions: { mode: sqlite3.OPEN_READWRITE },
    storage: file,
    logging: false,
    define: { underscored: true },
  })
}

/** Marks a new file as ours. WAL (readers and one writer at once) is a property of the file. */
async function claim(sequelize: Sequelize): Promise<void> {
  await sequelize.query('PRAGMA journal_mode=WAL')
  await sequelize.query(`PRAGMA application_id=${APPLICATION_ID}`)
}

async function bringUpToDate(sequelize: Sequelize, run: boolean): Promise<string[]> {
  if (run) return migrate(sequelize)
  const pending = await pendingMigrations(sequelize)
  if (pending.length === 0) return []
  throw new DatabaseError('DATABASE_UNUSABLE', 'The database needs a migration: run "ftpcluster migrate".')
}

async function closeSequelize(sequelize: Sequelize): Promise<void> {
  const connection = (await sequelize.connectionManager.getConnection({ type: 'read' })) as sqlite3.Database & {
    readonly open: boolean
  }
  // One that never opened says nothing to its end, and Sequelize would wait for that.
  if (!connection.open) return
  await sequelize.close()
  await new Promise<void>((resolve) => connection.close(() => resolve()))
}
