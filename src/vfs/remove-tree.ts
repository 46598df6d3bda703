import type { Connection, Entry } from '../storage/driver.js'
import { isStorageError } from '../storage/errors.js'
import { joinRemote } from '../storage/remote-path.js'
import { isVfsError } from './errors.js'
import type { FolderBudget } from './folder-budget.js'

export interface RemoveTreeOptions {
  readonly signal?: AbortSignal
  readonly budget?: FolderBudget
  /** Takes what could not be removed and lets the rest go on; without it the first error ends the work. */
  readonly onFailure?: (path: string, error: Error) => void
  /** Removes one file or link; throws for one that is to stay. Default: the connection's own. */
  readonly removeFile?: (connection: Connection, path: string) => Promise<void>
}

/**
 * Removes a file, or a folder with all that is in it, on one connection. Symbolic links are removed, never entered.
 * Nothing there is fine.
 * @returns false when something stayed
 */
export async function removeTree(
  connection: Connection,
  path: string,
  options: RemoveTreeOptions = {},
  known?: Entry,
): Promise<boolean> {
  const operation = { signal: options.signal }
  options.budget?.spend()
  try {
    const entry = known ?? (await connection.stat(path, operation).catch(linkItself))
    if (entry.type !== 'directory' || entry.symlink) {
      await (options.removeFile?.(connection, path) ?? connection.removeFile(path, operation))
      return true
    }
    let empty = true
    const { entries } = await connection.list(path, operation)
    for (const member of entries) {
      const gone = await removeTree(connection, joinRemote(path, member.name), options, member)
      empty = empty && gone
    }
    // A folder that keeps a member is no failure of its own: the member's tells all (RFC 4918 section 9.6.1).
    if (empty) await connection.removeDirectory(path, operation)
    return empty
  } catch (error) {
    if (isStorageError(error, 'NOT_FOUND')) return true
    const one = isVfsError(error, 'PRECONDITION_FAILED', 'LOCKED') || (isStorageError(error) && error.inStep)
    if (options.onFailure === undefined || !one) throw error
    options.onFailure(path, error)
    return false
  }
}

/** A dangling link has no stat in some servers' eyes; it is removed like a file, and what is not there at all says so then. */
function linkItself(error: unknown): Pick<Entry, 'type' | 'symlink'> {
  if (isStorageError(error, 'NOT_FOUND')) return { type: 'other', symlink: true }
  throw error
}
