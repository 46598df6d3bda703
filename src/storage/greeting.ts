import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { anyOf } from '../heap/signals.js'
import type { Dialer, Endpoint } from './driver.js'
import { StorageError } from './errors.js'

/** Bytes within which a server must have said what it is. */
const LONGEST = 8192

/**
 * Connects, waits for the greeting and leaves: tells whether a server is there and speaks its protocol, with no login and
 * without trusting it. A server that is full says so in its greeting, and is there.
 * @param timeout ms for all of it
 * @returns milliseconds until it had greeted
 * @throws StorageError UNREACHABLE, TIMED_OUT, CONNECTION_LOST, PROTOCOL, ABORTED
 */
export async function awaitGreeting(
  dial: Dialer,
  { protocol, host, port }: Pick<Endpoint, 'protocol' | 'host' | 'port'>,
  { timeout, signal }: { readonly timeout: number; readonly signal?: AbortSignal | undefined },
): Promise<number> {
  const since = performance.now()
  const deadline = AbortSignal.timeout(timeout)
  const stop = signal ? anyOf(signal, deadline) : deadline
  const stopped = () =>
    signal?.aborted
      ? new StorageError('ABORTED', 'The probe was stopped.', { cause: signal.reason })
      : new StorageError('TIMED_OUT', `No greeting within ${timeout} ms.`)
  const socket = await dial(host, port, { signal: stop }).catch((error: unknown) => {
    throw stop.aborted ? stopped() : error
  })
  // Sent in clear; a server that uses TLS is greeted by its certificate, which nobody judges here.
  const stream = protocol === 'ftps-implicit' ? connectTls({ socket, rejectUnauthorized: false }) : socket
  try {
    await greeting(stream, protocol === 'sftp' ? /^SSH-/m : /^[1245]\d\d[ -]/, stop, stopped)
    if (protocol !== 'sftp') stream.end('QUIT\r\n')
    return performance.now() - since
  } finally {
    // A server that answers QUIT has nobody to tell it to.
    stream.on('error', () => undefined)
    stream.destroySoon()
    socket.destroySoon()
  }
}

function greeting(stream: Socket, wanted: RegExp, stop: AbortSignal, stopped: () => StorageError): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = ''
    const settle = (error?: StorageError) => {
      stop.removeEventListener('abort', onStop)
      stream.off('data', onData).off('error', onEnd).off('close', onEnd)
      if (error) reject(error)
      else resolve()
    }
    const onStop = () => settle(stopped())
    const onEnd = () =>
      settle(new StorageError('CONNECTION_LOST', 'The server closed the connection without a greeting.'))
    const onData = (chunk: Buffer) => {
      text += chunk.toString('latin1')
      if (wanted.test(text)) settle()
      else if (text.length > LONGEST || !couldBecome(text)) {
        settle(new StorageError('PROTOCOL', 'What answered does not speak the protocol of this server.'))
      }
    }
    stop.addEventListener('abort', onStop, { once: true })
    stream.on('data', onData).once('error', onEnd).once('close', onEnd)
    if (stop.aborted) onStop()
  })

  /** SSH servers may say something else in whole lines before (RFC 4253 section 4.2); FTP servers may not. */
  function couldBecome(text: string): boolean {
    return wanted.multiline || /^\d{0,3}$/.test(text.slice(0, 3))
  }
}
