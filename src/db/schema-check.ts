import { QueryTypes, type Model, type ModelStatic, type Sequelize } from 'sequelize'
import { DatabaseError } from './errors.js'
import type { Models } from './models/define-models.js'
import { isDamage } from './sqlite-connection.js'

/** `PRAGMA application_id` of our files: "FTPC". */
export const APPLICATION_ID = 0x46545043

/**
 * Refuses a file that is damaged or belongs to another program, before anything is written to it.
 * @throws DatabaseError
 */
export async function refuseForeignFile(sequelize: Sequelize, file: string): Promise<void> {
  const damaged = (cause?: unknown) =>
    new DatabaseError('DATABASE_UNUSABLE', `The database ${file} is damaged: restore a backup.`, { cause })
  let check: { quick_check: string }[]
  try {
    check = await sequelize.query<{ quick_check: string }>('PRAGMA quick_check(1)', { type: QueryTypes.SELECT })
  } catch (error) {
    throw isDamage(error) ? damaged(error) : error
  }
  if (check[0]?.quick_check !== 'ok') throw damaged()

  const rows = await sequelize.query<{ application_id: number }>('PRAGMA application_id', { type: QueryTypes.SELECT })
  if (rows[0]?.application_id !== APPLICATION_ID) {
    throw new DatabaseError('DATABASE_UNUSABLE', `The database ${file} was not made by FTPCluster.`)
  }
}

/**
 * Compares the tables with the models, so that a schema that was changed by hand is refused at start and not met in the
 * middle of a request.
 * @throws DatabaseError naming the first table or column that is not as it should be
 */
export async function checkSchema(sequelize: Sequelize, models: Models): Promise<void> {
  for (const model of Object.values<ModelStatic<Model>>(models)) {
    const table = model.getTableName() as string
    const columns = await sequelize.query<{ name: string }>(`PRAGMA table_info(${table})`, { type: QueryTypes.SELECT })
    const present = new Set(columns.map((column) => column.name))
    for (const [attribute, { field }] of Object.entries(model.getAttributes())) {
      if (!present.has(field ?? attribute)) {
        const what = columns.length === 0 ? `the table ${table}` : `the column ${table}.${field ?? attribute}`
        throw new DatabaseError('DATABASE_UNUSABLE', `The database lacks ${what}: restore a backup.`)
      }
    }
  }
}
