import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Node } from '../vfs/node.js'
import type { Call, Tree } from '../vfs/tree.js'
import { contentDisposition, contentTypeOf } from './content-type.js'
import { clientGone, HttpError } from './errors.js'
import { toHttpDate } from './http-date.js'
import { checkPreconditions, isConditional, rangeApplies } from './preconditions.js'
import { parseRange, type ResolvedRange } from './range.js'

/**
 * A file is whatever somebody uploaded: no browser may run it in the gateway's origin, guess its type, embed it elsewhere
 * or keep it where others find it.
 */
export const FILE_HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': "sandbox; default-src 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'private, no-cache',
}

const NOTHING = { start: 0, end: -1 }

export interface SendFileOptions {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly tree: Pick<Tree, 'read'>
  /** A file, just returned by `tree.stat`. */
  readonly node: Node
  readonly call: Call
  readonly disposition?: 'attachment' | 'inline' | undefined
  /** Further headers of the 200, 206 or 304. */
  readonly headers?: Readonly<Record<string, string>>
}

/**
 * The call that finds what a GET is about to send: asked of the server, since a listing some seconds old would send the
 * first bytes of a new version under the length and the tag of the old one. HEAD and conditional answers of a cached
 * listing may be as old as the listing.
 */
export function callToSend(request: IncomingMessage, call: Call): Call {
  return request.method === 'GET' ? { ...call, fresh: true } : call
}

/**
 * Answers GET and HEAD of what stands at a path, if it is a file, as `sendFile` does.
 * @returns what is there: nothing was answered where that is a folder
 * @throws as `sendFile`, and what `tree.stat` and `tree.open` throw
 */
export async function sendIfFile(
  options: Omit<SendFileOptions, 'node' | 'tree'> & {
    readonly tree: Pick<Tree, 'stat' | 'read' | 'open'>
    readonly path: string
  },
): Promise<Node> {
  const { request, tree, path, call } = options
  // A condition may make an answer without bytes of it: no reason to wait for a connection that carries them.
  if (request.method !== 'GET' || isConditional(request.headers)) {
    const node = await tree.stat(path, callToSend(request, call))
    if (node.type !== 'file') return node
    if (request.method !== 'GET' || checkPreconditions(request.headers, node, { safe: true }) === 'not-modified') {
      await sendFile({ node, ...options, call: { ...call, fresh: false } })
      return node
    }
  }
  const likely = (known: Node) => {
    const range = rangeApplies(request.headers, known) ? parseRange(request.headers.range, known.size) : undefined
    return range === 'unsatisfiable' ? NOTHING : range
  }
  return tree.open(
    path,
    likely,
    (node, read) => sendFile({ node, ...options, tree: { read: (_, range, sink) => read(range, sink) } }),
    call,
  )
}

/**
 * Answers GET and HEAD of a file: 200, 206, 304. HEAD asks nothing of the server.
 *
 * Headers leave with the first byte. Whatever is thrown while `response.headersSent` is false is the caller's to answer;
 * after that the connection has been destroyed, never ended cleanly, and there is nothing left but to log.
 * @throws HttpError 412, 416; whatever `tree.read` throws
 */
export async function sendFile(options: SendFileOptions): Promise<void> {
  const { request, response, node } = options
  const head = request.method === 'HEAD'
  const headers: Record<string, string | number> = { 'Accept-Ranges': 'bytes', ...FILE_HEADERS, ...options.headers }
  if (node.etag !== undefined) headers['ETag'] = node.etag
  if (node.modified !== undefined) headers['Last-Modified'] = toHttpDate(node.modified)

  if (checkPreconditions(request.headers, node, { safe: true }) === 'not-modified') {
    response.writeHead(304, headers).end()
    return
  }
  headers['Content-Type'] ??= contentTypeOf(node.name)
  if (options.disposition) headers['Content-Disposition'] = contentDisposition(options.disposition, node.name)

  const range = head || !rangeApplies(request.headers, node) ? undefined : parseRange(request.headers.range, node.size)
  if (range === 'unsatisfiable') {
    throw new HttpError(416, 'RANGE_NOT_SATISFIABLE', 'The file has no such bytes.', {
      headers: { 'Content-Range': `bytes */${node.size}` },
    })
  }
  if (range) headers['Content-Range'] = `bytes ${range.start}-${range.end}/${node.size}`
  const length = range ? range.end - range.start + 1 : node.size
  headers['Content-Length'] = length
  const begin = () => response.writeHead(range ? 206 : 200, headers)
  if (head || length === 0) {
    begin().end()
    return
  }
  try {
    await stream(options, range, length, begin)
  } catch (error) {
    if (response.headersSent) response.destroy()
    throw error
  }
}

async function stream(options: SendFileOptions, range: ResolvedRange | undefined, length: number, begin: () => void) {
  const { response, tree, node, call } = options
  let sent = 0
  /** Set while the client is the one to act. */
  let giveUp: ((error: Error) => void) | undefined
  const onAbort = () => giveUp?.(clientGone(call.signal.reason))
  call.signal.addEventListener('abort', onAbort)

  const sink = (chunk: Buffer): Promise<void> => {
    sent += chunk.length
    if (sent > length) throw new Error(`The file gave more than the ${length} bytes asked for.`)
    if (call.signal.aborted) throw clientGone(call.signal.reason)
    if (!response.headersSent) begin()
    // The chunk is the driver's again when this settles, so it must have left the process.
    return new Promise((resolve, reject) => {
      giveUp = reject
      response.write(chunk, (error) => {
        giveUp = undefined
        if (error) {
          reject(clientGone(error))
          return
        }
        // The client has all that it was promised: its next request need not wait until the server is done with this one.
        if (sent === length) response.end()
        resolve()
      })
    })
  }
  try {
    await tree.read(node, range, sink, call)
    if (sent !== length) throw new Error(`The file gave ${sent} of ${length} bytes.`)
  } finally {
    call.signal.removeEventListener('abort', onAbort)
  }
}
