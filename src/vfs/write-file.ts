import type { Connection, Entry } from '../storage/driver.js'
import { isStorageError, StorageError } from '../storage/errors.js'
import { nameOf, parentOf } from '../storage/remote-path.js'
import { atomicWrite, directWrite, type AtomicWrite } from './atomic-write.js'
import { VfsError } from './errors.js'
import { lookAt } from './look-at.js'
import type { Place } from './mount-view.js'
import type { Call, WriteRequest } from './tree.js'
import type { Uploads } from './uploads.js'

export interface FileWrite {
  readonly place: Place
  readonly request: Omit<WriteRequest, 'check'>
  readonly source: AsyncIterable<Uint8Array>
  readonly before: Entry | undefined
  /** Locks and preconditions, judged on what stands there. */
  readonly check: (current: Entry | undefined) => void
}

/** Stores one file in the way that the mount asks for, and tells everybody who sees the folder. */
export async function writeFile(uploads: Uploads, write: FileWrite, call: Call): Promise<Entry> {
  const { place, source, before, check } = write
  const { size, modified, conditional } = write.request
  const { parts, mount } = place.view
  const { signal } = call
  const recheck = async (connection: Connection) => {
    const current = conditional ? await lookAt(connection, place.key.path) : before
    check(current)
    return current
  }
  /** Behind a symbolic link the file has another name; the link is still one. */
  const asSeen = (entry: Entry) => ({ ...entry, name: nameOf(place.key.path), symlink: before?.symlink ?? false })
  const placed = (entry: Entry) => {
    parts.tags.saved(place.key, before, entry)
    parts.cache.written(place.key, asSeen(entry))
  }
  let pulled = false
  const watched: AsyncIterable<Uint8Array> = {
    [Symbol.asyncIterator]: () => {
      pulled = true
      return source[Symbol.asyncIterator]()
    },
  }
  try {
    const entry = await parts.connections.use(
      mount.account,
      'transfer',
      async (connection) => {
        await assertRoom(connection, place, size, signal)
        const target = before?.symlink ? await linkTarget(connection, place) : place
        const store: AtomicWrite['store'] = (on, path, options) => on.write(path, watched, options)
        const details = { place: target, store, size, modified, before, recheck, placed }
        if (mount.upload !== 'direct') return atomicWrite(uploads, connection, details, signal)
        await recheck(connection)
        return directWrite(connection, details, signal)
      },
      // A client sends its body once.
      { signal, repeatable: () => !pulled },
    )
    return asSeen(entry)
  } catch (error) {
    parts.cache.forget(place.key)
    if (isStorageError(error, 'NOT_FOUND', 'NOT_A_DIRECTORY')) {
      throw new VfsError('PARENT_MISSING', 'The folder that should hold it is not there.', { cause: error })
    }
    if (isStorageError(error, 'IS_A_DIRECTORY'))
      throw new VfsError('IS_COLLECTION', 'A folder stands there.', { cause: error })
    throw error
  }
}

/** A file that cannot fit is refused before its body is read, where the server tells. @throws NO_SPACE */
async function assertRoom(
  connection: Connection,
  { key }: Place,
  size: number | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (size === undefined || size < WORTH_ASKING || connection.freeSpace === undefined) return
  const space = await connection.freeSpace(parentOf(key.path), { signal }).catch(unlessTold)
  if (space !== undefined && size > space.available) {
    const { available } = space
    throw new StorageError('NO_SPACE', `The server has room for ${available} of ${size} bytes.`, { inStep: true })
  }
}

/** The question was only asked to spare the client a long upload: a server that does not answer it gets the file. */
function unlessTold(error: unknown): undefined {
  if (!isStorageError(error) || !error.inStep || error.code === 'ABORTED') throw error
}

/** The file behind a symbolic link: it is replaced, the link stays. @throws IS_SYMLINK */
async function linkTarget(connection: Connection, place: Place): Promise<Place> {
  if (connection.realPath === undefined) {
    throw new VfsError('IS_SYMLINK', 'It is a symbolic link, which cannot be replaced safely on this server.')
  }
  return { ...place, key: { ...place.key, path: await connection.realPath(place.key.path) } }
}

/** Bytes from which on the free space is asked for: below, the round trip costs more than it saves. */
const WORTH_ASKING = 8 * 1024 * 1024
