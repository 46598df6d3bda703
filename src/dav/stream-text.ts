import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { setImmediate } from 'node:timers/promises'

/** Characters per write: large enough to be cheap, small enough for other requests to get their turn in between. */
const CHUNK = 128 * 1024

/**
 * Sends `pieces` as the body, as fast as the client takes them. A body of one chunk gets a Content-Length. Nothing is
 * sent before the first chunk is whole, so an error until then can still become a status.
 * @param status written with the first byte; headers are those set on `response`
 * @param onChunk gets what is sent, in order; it stays as it is
 * @throws what `pieces` throws; AbortError when `signal` fires
 */
export async function streamText(
  response: ServerResponse,
  status: number,
  pieces: Iterable<string> | AsyncIterable<string>,
  signal: AbortSignal,
  onChunk: (chunk: Buffer) => void = () => undefined,
): Promise<void> {
  let pending = ''
  for await (const piece of pieces) {
    pending += piece
    if (pending.length < CHUNK) continue
    response.statusCode = status
    const chunk = Buffer.from(pending)
    onChunk(chunk)
    if (!response.write(chunk)) await once(response, 'drain', { signal })
    pending = ''
    await setImmediate(undefined, { signal })
  }
  response.statusCode = status
  const last = Buffer.from(pending)
  if (!response.headersSent) response.setHeader('Content-Length', last.length)
  response.end(last)
  onChunk(last)
}

/** The same for a body that is there already. */
export function sendChunks(response: ServerResponse, status: number, chunks: readonly Buffer[]): void {
  const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
  response.writeHead(status, { 'Content-Length': length })
  for (const chunk of chunks) response.write(chunk)
  response.end()
}
