import type { IncomingMessage, ServerResponse } from 'node:http'
import { KeptWith } from '../heap/kept-with.js'
import { madeForOneReader } from '../storage/spent-bytes.js'
import { clientGone, HttpError } from './errors.js'

/** A client that sends nothing of a body for this long is cut. */
export const CLIENT_IDLE_MS = 60_000
/** Bytes per second that a body must have come at on average, once all waiting for it is longer than one silence may be. */
const MIN_RATE = 1024
/** Bytes of an unwanted body that are read to keep the connection. */
const DRAIN_LIMIT = 64 * 1024
/** Bytes that wait for whoever reads a body, besides those that Node keeps. */
const AHEAD = 256 * 1024
/** How long, and for how many bytes, a closing connection still listens, so that the client gets to read the answer. */
const LINGER_MS = 2000
const LINGER_BYTES = 4 * 1024 * 1024

/** Requests with `Expect: 100-continue` that nobody answered yet. */
const waiting = new KeptWith<IncomingMessage, ServerResponse>('waiting')

/** Milliseconds, for requests that came through a gateway with a setting of its own. */
const idleLimits = new KeptWith<IncomingMessage, number>('idleLimits')

/** How long the client of this request may be silent in the middle of its body. */
export function limitIdle(request: IncomingMessage, milliseconds: number): void {
  if (!hasNoBody(request)) idleLimits.set(request, milliseconds)
}

/** For the server's `checkContinue`: the client waits until `continueBody` or the final answer. */
export function expectContinue(request: IncomingMessage, response: ServerResponse): void {
  waiting.set(request, response)
}

/** Tells a client that waits with `Expect: 100-continue` to send the body. Called by whoever starts to read it. */
export function continueBody(request: IncomingMessage): void {
  const response = waiting.get(request)
  waiting.delete(request)
  if (response && !response.headersSent) response.writeContinue()
}

/** True unless the request announces a body. */
function hasNoBody(request: IncomingMessage): boolean {
  if (request.headers['transfer-encoding'] !== undefined) return false
  return (request.headers['content-length'] ?? '0') === '0'
}

export interface BodyOptions {
  readonly signal: AbortSignal
  /** Milliseconds; default what `limitIdle` said, else `CLIENT_IDLE_MS`. */
  readonly idleMs?: number | undefined
}

/**
 * The body as it comes, in chunks made for one reader. Reading starts with the first pull. Leaving early keeps the
 * connection open, so that the answer can be sent. Ends without error only when the request is complete.
 * @throws HttpError 408 (idle or too slow), 499 (client gone); the signal's reason
 */
export async function* bodyOf(request: IncomingMessage, options: BodyOptions): AsyncGenerator<Buffer, void, undefined> {
  const { signal, idleMs = idleLimits.get(request) ?? CLIENT_IDLE_MS } = options
  continueBody(request)
  let failure: Error | undefined
  let ended = request.readableEnded
  let wake: (() => void) | undefined
  /** As they came: putting them together would copy every byte once more. */
  const pieces: Buffer[] = []
  let ahead = 0
  const onData = (piece: Buffer) => {
    pieces.push(piece)
    ahead += piece.length
    if (ahead >= AHEAD) request.pause()
    wake?.()
  }
  const onEnd = () => {
    ended = true
    wake?.()
  }
  const onFailure = (error?: Error) => {
    if (!ended) failure ??= clientGone(error)
    wake?.()
  }
  const onClose = () => onFailure()
  const onAbort = () => {
    failure ??= signal.reason instanceof Error ? signal.reason : clientGone(signal.reason)
    wake?.()
  }
  request.on('data', onData).on('end', onEnd).on('error', onFailure).on('close', onClose)
  signal.addEventListener('abort', onAbort)
  if (signal.aborted) onAbort()
  else if (request.destroyed && !ended) onFailure()
  let received = 0
  let waited = 0
  try {
    for (;;) {
      if (failure !== undefined) throw failure
      const chunk = pieces.shift()
      if (chunk !== undefined) {
        received += chunk.length
        ahead -= chunk.length
        yield madeForOneReader(chunk)
        continue
      }
      if (ended) break
      request.resume()
      const since = performance.now()
      await new Promise<void>((resolve) => {
        const timer = setTimeout(() => {
          failure ??= tooSlow()
          resolve()
        }, idleMs)
        wake = () => {
          clearTimeout(timer)
          wake = undefined
          resolve()
        }
      })
      waited += performance.now() - since
      if (waited > idleMs && received < (waited / 1000) * MIN_RATE) throw tooSlow()
    }
    if (!request.complete) throw clientGone()
  } finally {
    request.pause().off('data', onData).off('end', onEnd).off('close', onClose)
    signal.removeEventListener('abort', onAbort)
    // The error listener stays: a late reset must not become an uncaught exception.
  }
}

function tooSlow(): HttpError {
  return new HttpError(408, 'CLIENT_IDLE', 'The request body did not arrive in time.')
}

/**
 * The whole body, for small ones.
 * @throws HttpError 413 above `limitBytes`, by the announced length before any of it is read; those of `bodyOf`
 */
export async function readBody(request: IncomingMessage, limitBytes: number, signal: AbortSignal): Promise<Buffer> {
  const tooLarge = () => new HttpError(413, 'BODY_TOO_LARGE', `The request body is larger than ${limitBytes} bytes.`)
  if (Number(request.headers['content-length'] ?? 0) > limitBytes) throw tooLarge()
  if (hasNoBody(request)) return Buffer.alloc(0)
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of bodyOf(request, { signal })) {
    size += chunk.length
    if (size > limitBytes) throw tooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, size)
}

/**
 * To be called before an answer that does not depend on the (rest of the) body: a short one is read and dropped and the
 * connection lives on, otherwise the connection closes after the answer. Safe to call always.
 */
export function discardBody(request: IncomingMessage, response: ServerResponse): void {
  if (request.complete && request.readableEnded) return
  if (hasNoBody(request)) {
    request.resume()
    return
  }
  const announced = Number(request.headers['content-length'] ?? Infinity)
  if (waiting.has(request) || announced > DRAIN_LIMIT) {
    closeAfter(request, response)
    return
  }
  request.on('error', ignoreReset)
  request.resume()
  response.once('finish', () => {
    if (request.complete) return
    const timer = setTimeout(() => request.socket.destroy(), LINGER_MS)
    request.once('close', () => clearTimeout(timer))
  })
}

/**
 * Closes the connection after this response: half first, so that a client that is still sending reads the answer instead
 * of a reset, and wholly after `LINGER_MS` or `LINGER_BYTES`.
 */
export function closeAfter(request: IncomingMessage, response: ServerResponse): void {
  waiting.delete(request)
  if (response.headersSent) return
  response.setHeader('Connection', 'close')
  const { socket } = request
  request.on('error', ignoreReset)
  // Node calls `destroySoon` once the last response is flushed; destroying a socket with unread input resets it.
  socket.destroySoon = () => {
    socket.end()
    request.resume()
    const limit = socket.bytesRead + LINGER_BYTES
    const timer = setTimeout(() => socket.destroy(), LINGER_MS)
    socket.once('close', () => clearTimeout(timer))
    request.on('data', () => {
      if (socket.bytesRead > limit) socket.destroy()
    })
    request.once('end', () => socket.destroy())
    if (request.readableEnded) socket.destroy()
  }
}

/** The answer is decided already; whether the client hears it no longer matters to anybody. */
function ignoreReset(): void {}
