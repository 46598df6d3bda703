import type { ByteRange, ByteSink, Connection, Entry, OpenFile } from '../storage/driver.js'
import { isStorageError, StorageError } from '../storage/errors.js'
import { VfsError } from './errors.js'
import type { Place } from './mount-view.js'
import type { Node } from './node.js'
import type { Call } from './tree.js'

/**
 * Feeds the sink with a range of a file. When the connection breaks or ends on the way, the read goes on once, on another
 * one, from where it was, if the file is still the same; the sink never gets a byte twice.
 * @param first reads the first time, where the file is open already
 * @throws PROTOCOL when fewer bytes came than the file was said to have, CHANGED before the first byte
 */
export async function readFile(
  place: Place,
  node: Node,
  range: ByteRange | undefined,
  sink: ByteSink,
  call: Call,
  first?: (range: ByteRange, sink: ByteSink) => Promise<number>,
): Promise<void> {
  const start = range?.start ?? 0
  const end = Math.min(range?.end ?? node.size - 1, node.size - 1)
  const wanted = end - start + 1
  if (wanted <= 0) return
  let delivered = 0
  let sinkFailed = false
  const counting: ByteSink = async (chunk) => {
    delivered += chunk.length
    try {
      await sink(chunk)
    } catch (error) {
      sinkFailed = true
      throw error
    }
  }
  const short = () => {
    return new StorageError('PROTOCOL', `The server sent ${delivered} of ${wanted} bytes.`, { inStep: true })
  }
  let broken: StorageError | undefined
  try {
    await (first?.({ start, end }, counting) ?? readOnce(place, node, { start, end }, counting, call))
    if (delivered < wanted) broken = short()
  } catch (error) {
    if (!isStorageError(error, 'CONNECTION_LOST', 'TIMED_OUT', 'PROTOCOL') || sinkFailed) throw error
    broken = error
  }
  if (broken !== undefined) {
    if ((delivered === 0 && first === undefined) || call.signal.aborted) throw broken
    const current = await place.view.entry(place, { ...call, fresh: true })
    if (!isSame(place, node, current)) throw broken
    if (delivered < wanted) await readOnce(place, node, { start: start + delivered, end }, counting, call)
  }
  if (delivered !== wanted) throw short()
}

function readOnce(place: Place, node: Node, range: ByteRange, sink: ByteSink, { signal }: Call): Promise<number> {
  const { parts, mount } = place.view
  let started = false
  const watching: ByteSink = (chunk) => {
    started = true
    return sink(chunk)
  }
  const read = async (connection: Connection): Promise<number> => {
    const mayHaveChanged = place.view.watch(place)
    const file = await connection.openFile?.(place.key.path, { likely: range, symlink: node.symlink, signal })
    if (file !== undefined && !isSame(place, node, file.entry)) {
      file.close()
      throw changed()
    }
    return readOpened(connection, place, { file, mayHaveChanged }, range, watching, signal)
  }
  return parts.connections.use(mount.account, 'transfer', read, { signal, repeatable: () => !started })
}

/** A look at a file, if the server can open it at once, and whether another version may have come since before the look. */
export interface Look {
  readonly file: OpenFile | undefined
  readonly mayHaveChanged: () => boolean
}

/** Reads what was just looked at, or nothing of it. @throws CHANGED before the first byte */
export function readOpened(
  connection: Connection,
  place: Place,
  { file, mayHaveChanged }: Look,
  range: ByteRange,
  sink: ByteSink,
  signal: AbortSignal,
): Promise<number> {
  let first = file?.held !== true
  const steady: ByteSink = (chunk) => {
    // Of which version it is nobody can tell. From here on the server has the file open.
    if (first && mayHaveChanged()) throw changed()
    first = false
    return sink(chunk)
  }
  return connection.read(place.key.path, range, steady, { signal, opened: file })
}

function isSame(place: Place, { size, modified, etag }: Node, entry: Entry): boolean {
  const now = place.view.node(place, entry)
  return now.size === size && now.modified === modified && now.etag === etag
}

function changed(): VfsError {
  return new VfsError('CHANGED', 'Another version came while the file was about to be read.')
}
