import type { Socket } from 'node:net'
import type { SFTPWrapper } from 'ssh2'
import SftpClient from 'ssh2-sftp-client'
import type { Connection, Deadlines, Dialer, Driver, Endpoint, Login, OperationOptions } from '../driver.js'
import { atLogin, isStorageError, StorageError } from '../errors.js'
import { RoundTrips } from './round-trip.js'
import { createSftpConnection } from './sftp-connection.js'
import { abortedBy, connectionLost, timedOut } from './sftp-errors.js'
import { ALGORITHMS, fingerprintOf, isTrusted, LoginAttempt } from './sftp-login.js'
import { SftpSession } from './sftp-session.js'
import { SocketBuffer } from './socket-buffer.js'

export interface SftpDriverOptions {
  readonly deadlines: Deadlines
  readonly dial: Dialer
}

/** An error of ssh2: `level` says which layer failed, `code` is a disconnect reason (RFC 4253 section 11.1) or an errno. */
interface SshError extends Error {
  readonly level?: string
  readonly code?: number | string
}

const KEEPALIVE_INTERVAL = 5_000
const KEEPALIVES_UNANSWERED = 2
/** RFC 4253 section 11.1. */
const TOO_MANY_CONNECTIONS = 12
const NO_MORE_AUTH_METHODS = 14

/** The driver of SFTP version 3 (draft-ietf-secsh-filexfer-02) with OpenSSH's extensions where the server offers them. */
export function createSftpDriver({ deadlines, dial }: SftpDriverOptions): Driver {
  const roundTrips = new RoundTrips()
  return {
    async connect(endpoint, login, options) {
      if (endpoint.encoding === 'latin1') {
        throw new StorageError('UNSUPPORTED', 'Names on SFTP servers are UTF-8; another encoding is not supported.')
      }
      const attempt = new LoginAttempt(login)
      return withinDeadline(deadlines.connect, options, async (signal) => {
        const socket = await dial(endpoint.host, endpoint.port, { signal, onread: (of) => SocketBuffer.onread(of) })
        const hangUp = () => socket.destroy()
        signal.addEventListener('abort', hangUp, { once: true })
        try {
          return await logIn(socket, endpoint, login, attempt, deadlines, roundTrips)
        } catch (error) {
          socket.destroy()
          throw error
        } finally {
          signal.removeEventListener('abort', hangUp)
        }
      })
    },

    async fingerprint(endpoint, options) {
      return withinDeadline(deadlines.connect, options, async (signal) => {
        const socket = await dial(endpoint.host, endpoint.port, { signal })
        const hangUp = () => socket.destroy()
        signal.addEventListener('abort', hangUp, { once: true })
        try {
          return await askFingerprint(socket)
        } finally {
          signal.removeEventListener('abort', hangUp)
          socket.destroy()
        }
      })
    },
  }
}

/** Runs `body` with a signal that fires on abort and on the deadline, and settles when it fires. */
function withinDeadline<T>(
  milliseconds: number,
  options: OperationOptions | undefined,
  body: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const outer = options?.signal
  if (outer?.aborted) return Promise.reject(abortedBy(outer, false))
  return new Promise((resolve, reject) => {
    const stop = new AbortController()
    const end = (error: StorageError) => {
      reject(error)
      stop.abort(error)
    }
    const timer = setTimeout(() => end(timedOut(milliseconds)), milliseconds)
    const onAbort = () => end(abortedBy(outer, false))
    outer?.addEventListener('abort', onAbort, { once: true })
    void body(stop.signal)
      .then(resolve, reject)
      .finally(() => {
        clearTimeout(timer)
        outer?.removeEventListener('abort', onAbort)
      })
  })
}

/** ssh2-sftp-client prints to the console where it is given no callbacks. */
function quietClient(): SftpClient {
  const quiet = () => undefined
  return new SftpClient('sftp', { error: quiet, end: quiet, close: quiet })
}

async function logIn(
  socket: Socket,
  endpoint: Endpoint,
  login: Login,
  attempt: LoginAttempt,
  deadlines: Deadlines,
  roundTrips: RoundTrips,
): Promise<Connection> {
  socket.setNoDelay(true)
  const client = quietClient()
  const opened: { session?: SftpSession } = {}
  let fingerprint: string | undefined
  let distrusted = false
  let reached = false
  let failure: SshError | undefined
  client.on('error', (error: SshError) => {
    failure ??= error
    opened.session?.end(
      error.level === 'client-timeout' ? timedOut(KEEPALIVE_INTERVAL * KEEPALIVES_UNANSWERED) : connectionLost(error),
    )
  })
  client.on('change password', () => {
    attempt.reason = 'The server asks for a new password.'
    socket.destroy()
  })
  let sftp: SFTPWrapper
  try {
    sftp = await client.connect({
      sock: socket,
      username: login.username,
      algorithms: ALGORITHMS,
      hostVerifier: (key: Buffer) => {
        fingerprint = fingerprintOf(key)
        distrusted = !isTrusted(endpoint.trust, fingerprint)
        return !distrusted
      },
      authHandler: (methods, partial, next) => {
        // The key exchange is over: the server has proved that it holds the trusted key.
        reached = true
        // `false` ends the attempt; the types leave it out.
        next(attempt.next(methods, partial) as Parameters<typeof next>[0])
      },
      readyTimeout: 0,
      keepaliveInterval: KEEPALIVE_INTERVAL,
      keepaliveCountMax: KEEPALIVES_UNANSWERED,
    })
  } catch (error) {
    if (distrusted) {
      throw new StorageError('UNTRUSTED', `The server shows the host key ${fingerprint}, which is not the one trusted.`)
    }
    const fault = explainLogin(failure ?? error, attempt)
    throw reached ? atLogin(fault) : fault
  }
  const session = new SftpSession(sftp, socket, roundTrips.to(`${endpoint.host}:${endpoint.port}`, socket))
  opened.session = session
  try {
    return await createSftpConnection(session, client, fingerprint, deadlines)
  } catch (error) {
    throw atLogin(error)
  }
}

/** Why a login over SSH did not come to an end, whatever the connection was meant for. */
export function explainLogin(error: unknown, attempt: LoginAttempt): StorageError {
  if (isStorageError(error)) return error
  const { level, code, message } = error instanceof Error ? (error as SshError) : { level: '', code: '', message: '' }
  if (attempt.reason !== undefined) return new StorageError('LOGIN_REJECTED', attempt.reason, { cause: error })
  if (code === TOO_MANY_CONNECTIONS) {
    return new StorageError('BUSY', 'The server takes no more connections.', { cause: error })
  }
  const tooMany = typeof code === 'number' && /too many authentication failures/i.test(message)
  if (level === 'client-authentication' || code === NO_MORE_AUTH_METHODS || tooMany) {
    return new StorageError('LOGIN_REJECTED', 'The server refused the login.', { cause: error })
  }
  if (level === 'handshake') {
    return new StorageError('PROTOCOL', 'No safe SSH connection could be agreed on with the server.', { cause: error })
  }
  if (/subsystem|channel open|no response from server/i.test(message)) {
    return new StorageError('PROTOCOL', 'The server accepted the login and offers no SFTP.', { cause: error })
  }
  return new StorageError('UNREACHABLE', 'The server ended the connection before the login was complete.', {
    cause: error,
  })
}

async function askFingerprint(socket: Socket): Promise<string> {
  const client = quietClient()
  let fingerprint: string | undefined
  let failure: unknown
  client.on('error', (error: unknown) => (failure ??= error))
  try {
    await client.connect({
      sock: socket,
      // Never sent: the key exchange ends with the refusal of the key.
      username: 'nobody',
      algorithms: ALGORITHMS,
      hostVerifier: (key: Buffer) => {
        fingerprint = fingerprintOf(key)
        return false
      },
      readyTimeout: 0,
    })
  } catch (error) {
    if (fingerprint !== undefined) return fingerprint
    throw new StorageError('UNREACHABLE', 'The server did not show a host key.', { cause: failure ?? error })
  }
  throw new StorageError('PROTOCOL', 'The server went on although its key was refused.')
}
