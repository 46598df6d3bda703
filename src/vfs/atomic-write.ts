import type { Connection, Entry, WriteOptions } from '../storage/driver.js'
import { isStorageError, StorageError } from '../storage/errors.js'
import { nameOf, parentOf, joinRemote } from '../storage/remote-path.js'
import { VfsError } from './errors.js'
import { mutexKey } from './keyed-mutex.js'
import type { Place } from './mount-view.js'
import { replaceByRename } from './replace.js'
import { temporaryName } from './temporary-name.js'
import type { Uploads } from './uploads.js'

/** What `atomicWrite` needs besides the bytes. */
export interface AtomicWrite {
  readonly place: Place
  /** Puts the bytes under the name it is given. @returns how many the server took */
  readonly store: (connection: Connection, path: string, options: WriteOptions) => Promise<number>
  /** Bytes that must come, when announced. */
  readonly size: number | undefined
  /** Time to set, ms since the epoch. */
  readonly modified: number | undefined
  /** What stood there when the upload began. */
  readonly before: Entry | undefined
  /**
   * Looks at the target again, just before the rename, and throws to refuse. On the connection at hand: waiting for another
   * one while holding this one could last for ever. @returns what stands there now
   */
  readonly recheck: (connection: Connection) => Promise<Entry | undefined>
  /** Told of what stands under the name now, before anybody else may change it. */
  readonly placed: (entry: Entry) => void
}

/**
 * Stores a file so that readers see the old one whole or the new one whole: journal row, temporary name in the same folder,
 * size check, rename over the target. Resolves when the server has the file under its name. Whatever fails before the
 * rename leaves the target as it was, and the temporary file goes now or by the sweeper.
 * Algorithm: reliability notes in docs/adr/0005-atomic-upload.md.
 */
export async function atomicWrite(
  uploads: Uploads,
  connection: Connection,
  write: AtomicWrite,
  signal: AbortSignal,
): Promise<Entry> {
  const { place, before } = write
  const { mount, parts } = place.view
  const target = place.key.path
  const temporary = joinRemote(parentOf(target), temporaryName(nameOf(target), 'upload', parts.now()))
  const upload = await uploads.begin(place, temporary, target)
  try {
    let found: Entry | undefined
    const onStored = (entry: Entry) => (found = entry)
    const options: WriteOptions = { signal, exclusive: true, mode: before?.mode, size: write.size, onStored }
    const stored = await write.store(connection, temporary, options)
    const entry = await settleTemporary(connection, temporary, stored, write, found)
    // From here on the client's going away changes nothing: the file is complete, and the rename is short.
    const done = await parts.mutex.run(mutexKey(place.key), async () => {
      const current = await write.recheck(connection)
      if (current?.type === 'directory') throw new VfsError('IS_COLLECTION', 'A folder stands there now.')
      await replaceByRename(uploads, connection, { place, from: temporary, current, mode: mount.upload }, upload)
      const named = { ...entry, name: nameOf(target) }
      write.placed(named)
      return named
    })
    await uploads.finish(upload, connection)
    return done
  } catch (error) {
    await uploads.discard(upload, connection)
    throw error
  }
}

/** Stores in place, for servers where nothing can be renamed: a failure leaves what came so far, and says so. */
export async function directWrite(connection: Connection, write: AtomicWrite, signal: AbortSignal): Promise<Entry> {
  const target = write.place.key.path
  const stored = await write.store(connection, target, { signal, size: write.size })
  const entry = await settleTemporary(connection, target, stored, write)
  write.placed(entry)
  return entry
}

/**
 * Size check, mode and time: what the file must be like before it gets its name.
 * @param found what the server said stands there after it had everything
 */
async function settleTemporary(
  connection: Connection,
  path: string,
  stored: number,
  { size, modified, before }: AtomicWrite,
  found?: Entry,
): Promise<Entry> {
  if (size !== undefined && stored !== size) {
    throw new VfsError('SHORT_BODY', `${stored} of ${size} announced bytes came.`)
  }
  if (modified !== undefined) await optional(connection.setModified?.(path, modified))
  let entry = found === undefined || modified !== undefined ? await connection.stat(path) : found
  if (entry.size !== stored) {
    throw new StorageError('PROTOCOL', `The server has ${entry.size} of ${stored} bytes.`, { inStep: true })
  }
  if (before?.mode !== undefined && entry.mode !== undefined && entry.mode !== before.mode && connection.setMode) {
    await optional(connection.setMode(path, before.mode))
    entry = { ...entry, mode: before.mode }
  }
  return entry
}

/** Mode and time are kept where the server lets us; a server that refuses still has the file. */
async function optional(change: Promise<void> | undefined): Promise<void> {
  try {
    await change
  } catch (error) {
    if (!isStorageError(error, 'DENIED', 'UNSUPPORTED', 'PROTOCOL') || !error.inStep) throw error
  }
}
