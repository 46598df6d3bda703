import { QueryTypes, Transaction, type QueryInterface, type Sequelize } from 'sequelize'
import type { RunnableMigration, Umzug, UmzugStorage } from 'umzug'
import { DatabaseError } from './errors.js'
import { initial } from './migrations/0001-initial.js'
import { secondFactorAndTokens } from './migrations/0002-second-factor-and-tokens.js'
import { auditChainAndHealth } from './migrations/0003-audit-chain-and-health.js'
import { shares } from './migrations/0004-shares.js'
import { accountsInStep } from './migrations/0005-accounts-in-step.js'
import { oldSecrets } from './migrations/0006-old-secrets.js'

export interface MigrationContext {
  readonly queryInterface: QueryInterface
  readonly transaction: Transaction
}

export type Migration = RunnableMigration<MigrationContext>

/** In order; a migration is never edited once it was released. */
const MIGRATIONS: readonly Migration[] = [
  initial,
  secondFactorAndTokens,
  auditChainAndHealth,
  shares,
  accountsInStep,
  oldSecrets,
]

const TABLE = 'schema_migrations'

/**
 * Brings the schema up to date. All of it is one transaction: two processes that start together do it once, and a failed
 * migration leaves the database as it was.
 * @returns names of the migrations that ran
 * @throws DatabaseError when the database was written by a newer version
 */
export async function migrate(sequelize: Sequelize): Promise<string[]> {
  return sequelize.transaction({ type: Transaction.TYPES.IMMEDIATE }, async (transaction) => {
    await sequelize.query(`CREATE TABLE IF NOT EXISTS ${TABLE} (name VARCHAR(255) PRIMARY KEY, run_at VARCHAR(40))`, {
      transaction,
    })
    const pending = pendingAfter(await executedNames(sequelize, transaction))
    if (pending.length === 0) return []
    const umzug = await umzugFor(sequelize, transaction)
    const ran = await umzug.up()
    return ran.map((migration) => migration.name)
  })
}

/**
 * Names of the migrations that have yet to run.
 * @throws DatabaseError when the database was written by a newer version
 */
export async function pendingMigrations(sequelize: Sequelize): Promise<string[]> {
  const tables = await sequelize.getQueryInterface().showAllTables()
  return pendingAfter(tables.includes(TABLE) ? await executedNames(sequelize) : [])
}

async function umzugFor(sequelize: Sequelize, transaction: Transaction): Promise<Umzug<MigrationContext>> {
  // Nearly every start has nothing to migrate, and Umzug brings a third as much code as the whole gateway.
  const { Umzug } = await import('umzug')
  const storage: UmzugStorage<MigrationContext> = {
    executed: () => executedNames(sequelize, transaction),
    logMigration: async ({ name }) => {
      const replacements = { name, runAt: new Date().toISOString() }
      await sequelize.query(`INSERT INTO ${TABLE} (name, run_at) VALUES (:name, :runAt)`, { replacements, transaction })
    },
    unlogMigration: async ({ name }) => {
      await sequelize.query(`DELETE FROM ${TABLE} WHERE name = :name`, { replacements: { name }, transaction })
    },
  }
  return new Umzug({
    migrations: [...MIGRATIONS],
    context: { queryInterface: sequelize.getQueryInterface(), transaction },
    storage,
    logger: undefined,
  })
}

async function executedNames(sequelize: Sequelize, transaction: Transaction | null = null): Promise<string[]> {
  const rows = await sequelize.query<{ name: string }>(`SELECT name FROM ${TABLE} ORDER BY name`, {
    type: QueryTypes.SELECT,
    transaction,
  })
  return rows.map((row) => row.name)
}

/** @throws DatabaseError when the database was written by a newer version */
function pendingAfter(executed: readonly string[]): string[] {
  const unknown = executed.find((name) => !MIGRATIONS.some((migration) => migration.name === name))
  if (unknown !== undefined) {
    throw new DatabaseError(
      'DATABASE_UNUSABLE',
      `The database was written by a newer version of FTPCluster (migration ${unknown}): start that version.`,
    )
  }
  return MIGRATIONS.map((migration) => migration.name).filter((name) => !executed.includes(name))
}
