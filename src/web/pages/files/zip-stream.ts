import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ZipFile } from 'yazl'
import { anyOf } from '../../../heap/signals.js'
import { clientGone } from '../../../http/errors.js'
import type { ByteSink } from '../../../storage/driver.js'
import { Channel } from '../../../vfs/channel.js'
import { VfsError } from '../../../vfs/errors.js'
import type { Node } from '../../../vfs/node.js'
import type { Call, Tree } from '../../../vfs/tree.js'
import type { ZipMember } from './zip-members.js'

/**
 * Sends a ZIP, stored and not packed, one file after the other: memory holds some chunks of one of them. A file that cannot
 * be read to its end breaks the connection, so that nobody takes what came for the whole.
 */
export async function streamZip(
  response: ServerResponse,
  tree: Pick<Tree, 'open'>,
  members: readonly ZipMember[],
  call: Call,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  const ended = new AbortController()
  const reading: Call = { ...call, signal: anyOf(call.signal, ended.signal) }
  const zip = new ZipFile()
  const output = zip.outputStream as Readable
  zip.on('error', (error: Error) => output.destroy(error))
  for (const { node, name } of members) {
    const mtime = node.modified === undefined ? {} : { mtime: new Date(node.modified) }
    if (node.type === 'directory') zip.addEmptyDirectory(name, mtime)
    else {
      zip.addReadStreamLazy(name, { ...mtime, compress: false, size: node.size }, (ready) =>
        ready(
          null,
          contentOf(tree, node, reading, (error) => output.destroy(error)),
        ),
      )
    }
  }
  const size = await new Promise<number>((resolve) => {
    const tell: (size: number) => void = resolve
    zip.end({ forceZip64Format: false, comment: '' }, tell as () => void)
  })
  response.writeHead(200, { ...headers, ...(size >= 0 ? { 'Content-Length': size } : {}) })
  if (response.req.method === 'HEAD') {
    output.destroy()
    response.end()
    return
  }
  try {
    await pipeline(output, response, { signal: call.signal })
  } catch (error) {
    response.destroy()
    throw call.signal.aborted ? clientGone(error) : error
  } finally {
    ended.abort(clientGone())
  }
}

/** One file as a stream; the next chunk is asked of the server when the last one was taken. */
function contentOf(tree: Pick<Tree, 'open'>, node: Node, call: Call, fail: (error: Error) => void): Readable {
  if (node.size === 0) return Readable.from([])
  const channel = new Channel()
  const stream = Readable.from(channel.chunks, { objectMode: false, highWaterMark: 256 * 1024 })
  stream.on('error', fail)
  stream.once('close', () => channel.close())
  readAsListed(tree, node, channel.sink, call).then(
    () => channel.end(),
    (error: unknown) => channel.fail(error),
  )
  return stream
}

/** The ZIP has told its length: a newer version takes the file's place in it only when it is as long. */
async function readAsListed(tree: Pick<Tree, 'open'>, node: Node, sink: ByteSink, call: Call): Promise<void> {
  const changed = () => new VfsError('PRECONDITION_FAILED', 'A file has changed since the ZIP was begun.')
  const found = await tree.open(
    node.path,
    () => undefined,
    (current, read) => (current.size === node.size ? read(undefined, sink) : Promise.reject(changed())),
    call,
  )
  if (found.type !== 'file') throw changed()
}
