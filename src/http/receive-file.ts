import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Node } from '../vfs/node.js'
import type { Call, Guard, Tree } from '../vfs/tree.js'
import { bodyOf, closeAfter, discardBody } from './body.js'
import { HttpError } from './errors.js'
import { checkPreconditions, isConditional } from './preconditions.js'

export interface ReceiveFileOptions {
  readonly request: IncomingMessage
  /** Where given, it is prepared for an answer that comes before the body was read whole. */
  readonly response?: ServerResponse | undefined
  readonly tree: Pick<Tree, 'write'>
  /** Virtual path. */
  readonly path: string
  /** Judged after the request's own `If-Match` and kin. */
  readonly guard: Guard
  readonly call: Call
  /** Modification time to set, ms since the epoch; `X-OC-Mtime` of the request counts where this is not given. */
  readonly modified?: number | undefined
  /** Milliseconds; default what the configuration says. */
  readonly idleMs?: number | undefined
}

/**
 * Stores the body of a PUT. A body that ends before its announced end is never stored: the old file stays.
 * @throws HttpError 400 (`Content-Range`, fewer or more bytes than announced), 408, 412, 415; whatever `tree.write` throws
 */
export async function receiveFile(options: ReceiveFileOptions): Promise<{ node: Node; created: boolean }> {
  const { request, response, tree, path, guard, call } = options
  try {
    const announced = announcedSize(request)
    const ocMtime = options.modified === undefined ? modifiedByHeader(request) : undefined
    const result = await tree.write(
      path,
      announced.stopAt === undefined
        ? bodyOf(request, { signal: call.signal, idleMs: options.idleMs })
        : bodyUpTo(request, announced.stopAt, { signal: call.signal, idleMs: options.idleMs }),
      {
        lockTokens: guard.lockTokens,
        conditional: isConditional(request.headers),
        check: (current) => {
          checkPreconditions(request.headers, current, { safe: false })
          guard.check?.(current)
        },
        size: announced.size,
        modified: options.modified ?? ocMtime,
      },
      call,
    )
    if (response) {
      if (ocMtime !== undefined && sameSecond(ocMtime, result.node.modified))
        response.setHeader('X-OC-MTime', 'accepted')
      if (!request.complete) closeAfter(request, response)
    }
    return result
  } catch (error) {
    if (response && !response.headersSent) discardBody(request, response)
    throw error
  }
}

interface AnnouncedSize {
  readonly size: number | undefined
  /** The body ends here, even when the client never says so. */
  readonly stopAt: number | undefined
}

function announcedSize(request: IncomingMessage): AnnouncedSize {
  const { headers } = request
  // RFC 9110 section 14.4: a PUT of a part is refused rather than taken for the whole.
  if (headers['content-range'] !== undefined) {
    throw new HttpError(400, 'PARTIAL_PUT', 'A file is stored whole: Content-Range is not taken.')
  }
  const encoding = headers['content-encoding']
  if (encoding !== undefined && encoding.trim().toLowerCase() !== 'identity') {
    throw new HttpError(415, 'CONTENT_ENCODING', 'A file is stored as it is: Content-Encoding is not taken.')
  }
  const expected = expectedEntityLength(headers['x-expected-entity-length'])
  if (headers['content-length'] !== undefined) {
    const size = Number(headers['content-length'])
    if (!Number.isSafeInteger(size)) throw new HttpError(413, 'BODY_TOO_LARGE', 'No file is that large.')
    // A proxy that cannot pass a chunked body on makes an empty one of it.
    if (expected !== undefined && expected > 0 && size === 0) throw shortBody(0, expected)
    return { size, stopAt: undefined }
  }
  if (headers['transfer-encoding'] === undefined) {
    if (expected !== undefined && expected > 0) throw shortBody(0, expected)
    return { size: 0, stopAt: undefined }
  }
  return { size: expected, stopAt: expected }
}

/** What macOS says of a chunked body. */
function expectedEntityLength(header: string | string[] | undefined): number | undefined {
  if (header === undefined) return undefined
  const length = typeof header === 'string' && /^\d{1,15}$/.test(header) ? Number(header) : undefined
  if (length === undefined) {
    throw new HttpError(400, 'BAD_HEADER', 'X-Expected-Entity-Length is not a number of bytes.')
  }
  return length
}

/** Some versions of macOS never send the last chunk: what counts is the announced length. */
async function* bodyUpTo(request: IncomingMessage, length: number, options: Parameters<typeof bodyOf>[1]) {
  let received = 0
  if (length > 0) {
    for await (const chunk of bodyOf(request, options)) {
      received += chunk.length
      if (received > length) throw new HttpError(400, 'LONG_BODY', `More than the announced ${length} bytes came.`)
      yield chunk
      if (received === length) return
    }
  }
  if (received < length) throw shortBody(received, length)
}

function shortBody(received: number, expected: number): HttpError {
  return new HttpError(400, 'SHORT_BODY', `${received} of ${expected} announced bytes came.`)
}

/** Seconds since the epoch, with or without a fraction, as ownCloud's clients and rclone send it. */
function modifiedByHeader(request: IncomingMessage): number | undefined {
  const header = request.headers['x-oc-mtime']
  if (typeof header !== 'string' || !/^\d{1,11}(\.\d{1,9})?$/.test(header)) return undefined
  return Math.round(Number(header) * 1000)
}

function sameSecond(a: number, b: number | undefined): boolean {
  return b !== undefined && Math.floor(a / 1000) === Math.floor(b / 1000)
}
