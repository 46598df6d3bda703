import { chmod, mkdir, open, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { DatabaseError } from './errors.js'

const FILE_NAME = 'ftpcluster.sqlite'

/** Milliseconds that another process may take between creating the file and writing its first page. */
const CREATION_TIME = 2000

/**
 * The SQLite file that a database URL names (`sqlite:` and a path, relative to the working directory or absolute).
 * @throws DatabaseError for other databases
 */
export function databaseFileOf(url: string | undefined, dataDir: string): string {
  if (url === undefined || url === '') return resolve(dataDir, FILE_NAME)
  const match = /^sqlite:(?:\/\/)?(.+)$/.exec(url)
  if (match?.[1] !== undefined && match[1] !== ':memory:') return resolve(match[1])
  if (/^postgres(ql)?:/.test(url)) {
    throw new DatabaseError(
      'DATABASE_UNUSABLE',
      'This version stores its data in SQLite only: remove the postgres URL, or write sqlite:/path/to/file.',
    )
  }
  throw new DatabaseError('DATABASE_UNUSABLE', 'The database URL must read sqlite:/path/to/file.')
}

/**
 * Makes sure that `file` is there and private. SQLite gives `-wal` and `-shm` the mode of the main file whatever the
 * umask, so making it 0600 before SQLite sees it covers all three.
 * @returns whether the file is new
 * @throws DatabaseError when it is not there (`create` false), cannot be made, or lost its content
 */
export async function prepareDatabaseFile(file: string, create: boolean): Promise<boolean> {
  if (create) {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 }).catch((error: unknown) => {
      throw new DatabaseError('DATABASE_UNUSABLE', `The data folder ${dirname(file)} cannot be made.`, { cause: error })
    })
    const created = await createEmpty(file)
    if (created) return true
  }
  const until = Date.now() + CREATION_TIME
  for (;;) {
    const size = await sizeOf(file)
    if (size > 0) break
    if (Date.now() > until) {
      throw new DatabaseError(
        'DATABASE_UNUSABLE',
        `The database file ${file} is empty. Put a backup in its place, or delete it to start anew.`,
      )
    }
    await delay(100)
  }
  await Promise.all([file, `${file}-wal`, `${file}-shm`].map(makePrivate))
  return false
}

async function createEmpty(file: string): Promise<boolean> {
  try {
    const handle = await open(file, 'wx', 0o600)
    await handle.close()
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw new DatabaseError('DATABASE_UNUSABLE', `The database file ${file} cannot be made.`, { cause: error })
  }
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size
  } catch (error) {
    throw new DatabaseError('DATABASE_UNUSABLE', `The database file ${file} cannot be read.`, { cause: error })
  }
}

/** A file of somebody else keeps its mode; `ftpcluster doctor` names it. */
async function makePrivate(file: string): Promise<void> {
  try {
    const { mode } = await stat(file)
    if ((mode & 0o077) !== 0) await chmod(file, 0o600)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code !== 'ENOENT' && code !== 'EPERM') throw error
  }
}
