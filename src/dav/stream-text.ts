import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { setImmediate } from 'node:timers/promises'

/** Characters per write: large enough to be cheap, small enough for other requests to get their turn in between. */
const CHUNK = 32_768

/**
 * Sends `pieces` as the body, as fast as the client takes them. A body of one chunk gets a Content-Length. Nothing is
 * sent before the first chunk is whole, so an error until then can still become a status.
 * @param status written with the first byte; headers are those set on `response`
 * @throws what `pieces` throws; AbortError when `signal` fires
 */
export async function streamText(
  response: ServerResponse,
  status: number,
  pieces: Iterable<string> | AsyncIterable<string>,
  signal: AbortSignal,
): Promise<void> {
  let pending = ''
  for await (const piece of pieces) {
    pending += piece
    if (pending.length < CHUNK) continue
    response.statusCode = status
    if (!response.write(pending)) await once(response, 'drain', { signal })
    pending = ''
    await setImmediate(undefined, { signal })
  }
  response.statusCode = status
  if (!response.headersSent) response.setHeader('Content-Length', Buffer.byteLength(pending))
  response.end(pending)
}
