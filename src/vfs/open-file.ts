import type { ByteRange, ByteSink, Connection, OpenFile, OpenOptions } from '../storage/driver.js'
import { isStorageError } from '../storage/errors.js'
import { VfsError } from './errors.js'
import type { Place } from './mount-view.js'
import type { Node } from './node.js'
import { readFile, readOpened } from './read-file.js'
import type { Call, ReadOpened } from './tree.js'

interface Loan {
  readonly connection: Connection
  readonly file: OpenFile
  /** Whether another version may have come since before the look. */
  readonly mayHaveChanged: () => boolean
  readonly giveBack: () => void
}

/**
 * Looks at a file and reads it on one connection, which opened it when it looked.
 * @param use is called once with what is there, if that is a file, and with the way to read it, once, before it settles
 * @throws CHANGED before the first byte
 * @returns undefined when no file could be opened, by what the server says: whoever asks step by step learns why
 */
export async function openFile(
  place: Place,
  hints: Pick<OpenOptions, 'likely' | 'symlink'>,
  use: (node: Node, read: ReadOpened) => Promise<void>,
  call: Call,
): Promise<Node | undefined> {
  const learn = place.view.learner(place)
  const loan = await borrow(place, { signal: call.signal, ...hints }).catch((error: unknown) => {
    if (isStorageError(error) && error.inStep && error.code !== 'ABORTED') return undefined
    throw error
  })
  if (loan === undefined) return undefined
  const { file, connection, mayHaveChanged, giveBack } = loan
  const first = async (range: ByteRange, sink: ByteSink): Promise<number> => {
    try {
      return await readOpened(connection, place, { file, mayHaveChanged }, range, sink, call.signal)
    } finally {
      giveBack()
    }
  }
  try {
    if (file.entry.type !== 'file') return undefined
    learn(file.entry)
    const node = place.view.node(place, file.entry)
    await use(node, async (range, sink) => {
      try {
        await readFile(place, node, range, sink, call, first)
      } catch (error) {
        // Who reads is told why it was ended, as everybody else.
        throw call.signal.reason instanceof VfsError ? call.signal.reason : error
      }
    })
    return node
  } finally {
    giveBack()
  }
}

/** The connection stays lent until `giveBack`, which closes a file that was not read. */
function borrow(place: Place, options: OpenOptions): Promise<Loan | undefined> {
  const { parts, mount } = place.view
  return new Promise((resolve, reject) => {
    const work = async (connection: Connection) => {
      const mayHaveChanged = place.view.watch(place)
      const file = await connection.openFile?.(place.key.path, options)
      if (file === undefined) {
        resolve(undefined)
        return
      }
      await new Promise<void>((done) => {
        const giveBack = () => {
          file.close()
          done()
        }
        resolve({ connection, file, mayHaveChanged, giveBack })
      })
    }
    parts.connections.use(mount.account, 'transfer', work, { signal: options.signal, repeatable: true }).catch(reject)
  })
}
