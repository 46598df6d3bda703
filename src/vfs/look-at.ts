import type { Connection, Entry } from '../storage/driver.js'
import { isStorageError } from '../storage/errors.js'

/** What stands at a path now, whatever the cache says. */
export async function lookAt(connection: Connection, path: string): Promise<Entry | undefined> {
  try {
    return await connection.stat(path)
  } catch (error) {
    if (isStorageError(error, 'NOT_FOUND')) return undefined
    throw error
  }
}
