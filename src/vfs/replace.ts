import type { Connection, Entry, OperationOptions } from '../storage/driver.js'
import { isStorageError, StorageError } from '../storage/errors.js'
import { joinRemote, nameOf, parentOf } from '../storage/remote-path.js'
import { VfsError } from './errors.js'
import { lookAt } from './look-at.js'
import type { UploadMode } from './mount.js'
import type { Place } from './mount-view.js'
import { temporaryName } from './temporary-name.js'
import type { Upload, Uploads } from './uploads.js'

/** ms */
const FIND_OUT_WITHIN = 30_000

export interface Replacement {
  /** Where the new file or folder belongs. */
  readonly place: Place
  /** Remote path where it is now. */
  readonly from: string
  /** What stands at `place`. */
  readonly current: Entry | undefined
  readonly mode: UploadMode
}

/**
 * Gives a finished file or folder its name. A file is renamed over the old one in one step where the server can; otherwise
 * the old one steps aside under a name that the journal knows, the new one takes its place, and the old one goes.
 * @param upload the journal row that this belongs to; without one, a swap makes its own
 * @throws ALREADY_EXISTS when the mount wants one step only and the server refuses it; IS_COLLECTION when a folder stands
 *   there that `current` does not tell of
 */
export async function replaceByRename(
  uploads: Uploads,
  connection: Connection,
  { place, from, current, mode }: Replacement,
  upload?: Upload,
): Promise<void> {
  const target = place.key.path
  const mustSwap = current !== undefined && (current.type === 'directory' || connection.traits.renameReplaces === false)
  if (!mustSwap || mode === 'atomic') {
    try {
      await renameSurely(connection, place, from)
      return
    } catch (error) {
      if (mode === 'atomic' || !isStorageError(error, 'ALREADY_EXISTS') || !error.inStep) throw error
    }
  }
  if (current?.type !== 'directory') {
    // `current` may be as old as a listing: a folder that came meanwhile must not step aside for a file.
    const now = await lookAt(connection, target)
    if (now?.type === 'directory') throw new VfsError('IS_COLLECTION', 'A folder stands there now.')
    if (now === undefined) return renameSurely(connection, place, from)
  }
  const backup = joinRemote(parentOf(target), temporaryName(nameOf(target), 'backup', uploads.now()))
  if (upload !== undefined) return swap(uploads, connection, place, upload, from, backup)
  // The row's temporary path is what healing may delete: here only the old version, never the source of a move.
  const own = await uploads.begin(place, backup, target)
  try {
    await swap(uploads, connection, place, own, from, backup)
    await uploads.finish(own, connection)
  } catch (error) {
    await uploads.discard(own, connection)
    throw error
  }
}

/** A rename whose answer was lost is looked up on another connection, and done there if it has not happened. */
async function renameSurely(connection: Connection, { view, key }: Place, from: string): Promise<void> {
  try {
    await connection.rename(from, key.path)
  } catch (error) {
    if (!isStorageError(error, 'CONNECTION_LOST', 'TIMED_OUT')) throw error
    const signal = AbortSignal.timeout(FIND_OUT_WITHIN)
    await view
      .metadata((fresh, options) => finishRename(fresh, from, key.path, options), { signal }, true)
      .catch(() => {
        throw error
      })
  }
}

async function finishRename(
  connection: Connection,
  from: string,
  to: string,
  options: OperationOptions,
): Promise<void> {
  try {
    await connection.stat(from, options)
  } catch (error) {
    if (!isStorageError(error, 'NOT_FOUND')) throw error
    // Gone from its old name: it must have arrived, or the lost answer was a refusal.
    await connection.stat(to, options)
    return
  }
  await connection.rename(from, to, options)
}

async function swap(
  uploads: Uploads,
  connection: Connection,
  place: Place,
  upload: Upload,
  from: string,
  backup: string,
): Promise<void> {
  await uploads.swapping(upload, backup, () => connection.rename(upload.target, backup))
  try {
    await renameSurely(connection, place, from)
  } catch (error) {
    // The journal row brings the old version back: at once by whoever discards the upload, or by the sweep.
    if (!isStorageError(error, 'ALREADY_EXISTS', 'DENIED') || !error.inStep) throw error
    throw new StorageError('DENIED', 'The server does not let this name be replaced.', { cause: error, inStep: true })
  }
}
