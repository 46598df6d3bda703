import { Command } from 'commander'
import { openDatabase } from '../../db/database.js'
import type { CommandContext } from '../context.js'

export function migrateCommand({ terminal, config }: CommandContext): Command {
  return new Command('migrate').description('bring the database up to date').action(async () => {
    const { dataDir, databaseUrl: url } = config()
    const database = await openDatabase({ dataDir, url })
    await database.close()
    for (const name of database.migrated) terminal.out(name)
    if (database.migrated.length === 0) terminal.err('The database is up to date.')
  })
}
