import type { ByteRange, ByteSink } from '../storage/driver.js'
import { isStorageError, StorageError } from '../storage/errors.js'
import type { Place } from './mount-view.js'
import type { Node } from './node.js'
import type { Call } from './tree.js'

/**
 * Feeds the sink with a range of a file. When the connection breaks or ends on the way, the read goes on once, on another
 * one, from where it was, if the file is still the same; the sink never gets a byte twice.
 * @param first reads the first time, where the file is open already
 * @throws PROTOCOL when fewer bytes came than the file was said to have
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
    await (first?.({ start, end }, counting) ?? readOnce(place, { start, end }, counting, call))
    if (delivered < wanted) broken = short()
  } catch (error) {
    if (!isStorageError(error, 'CONNECTION_LOST', 'TIMED_OUT', 'PROTOCOL') || sinkFailed) throw error
    broken = error
  }
  if (broken !== undefined) {
    if ((delivered === 0 && first === undefined) || call.signal.aborted) throw broken
    const current = await place.view.entry(place, { ...call, fresh: true })
    if (current.size !== node.size || current.modified !== node.modified) throw broken
    if (delivered < wanted) await readOnce(place, { start: start + delivered, end }, counting, call)
  }
  if (delivered !== wanted) throw short()
}

function readOnce(place: Place, range: ByteRange, sink: ByteSink, { signal }: Call): Promise<number> {
  const { parts, mount } = place.view
  let started = false
  const watching: ByteSink = (chunk) => {
    started = true
    return sink(chunk)
  }
  return parts.connections.use(
    mount.account,
    'transfer',
    (connection) => connection.read(place.key.path, range, watching, { signal }),
    { signal, repeatable: () => !started },
  )
}
