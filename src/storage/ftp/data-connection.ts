import { connect as connectTcp, type OnReadOpts, type Socket } from 'node:net'
import { connect as connectTls, TLSSocket } from 'node:tls'
import { StorageError } from '../errors.js'
import type { Reply } from './control-channel.js'
import type { Session } from './session.js'
import { fingerprintOf } from './tls-trust.js'

/** A server's own services below this are nobody's data ports. */
const LOWEST_PORT = 1024

/** A data connection that is open as TCP; with TLS the handshake follows when the server has begun the transfer. */
export interface DataConnection {
  readonly socket: Socket
  /** Settles when bytes may flow; rejects UNTRUSTED, CONNECTION_LOST. At once without TLS. */
  readonly ready: Promise<void>
}

/**
 * Asks for a passive port (EPSV, RFC 2428; PASV, RFC 959) and connects to it: on the address of the control connection,
 * whatever the server says. Deadline and abort are the channel's.
 * @throws PROTOCOL for a foreign host or a port that cannot be one, CONNECTION_LOST
 */
export async function openData(session: Session, onread: OnReadOpts | undefined): Promise<DataConnection> {
  if (session.epsv) {
    const reply = await session.channel.command('EPSV')
    if (reply.code === 229) {
      try {
        return await connectData(session, epsvPort(reply), onread)
      } catch (error) {
        // Some gateways between us and the server follow PASV only.
        if (!(error instanceof StorageError && error.code === 'CONNECTION_LOST' && session.channel.open)) throw error
      }
    }
    session.epsv = false
  }
  const reply = await session.channel.command('PASV')
  if (reply.code !== 227) {
    throw new StorageError('PROTOCOL', 'The server offers no passive mode.', {
      cause: new Error(reply.text),
      inStep: true,
    })
  }
  return connectData(session, pasvPort(reply, session.channel.socket.remoteAddress ?? ''), onread)
}

function epsvPort(reply: Reply): number {
  const match = /\((.)\1\1(\d{1,5})\1\)/.exec(reply.text)
  return checkedPort(Number(match?.[2]))
}

function pasvPort(reply: Reply, controlHost: string): number {
  const match = /(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3})/.exec(reply.text.slice(4))
  const [, a, b, c, d, high, low] = match ?? []
  if (`${a}.${b}.${c}.${d}` !== controlHost.replace(/^::ffff:/i, '')) {
    throw new StorageError('PROTOCOL', 'The server sent the data connection to another host.', { inStep: true })
  }
  return checkedPort(Number(high) * 256 + Number(low))
}

function checkedPort(port: number): number {
  if (Number.isInteger(port) && port >= LOWEST_PORT && port <= 65_535) return port
  throw new StorageError('PROTOCOL', 'The server offered a data port that cannot be one.', { inStep: true })
}

function connectData(session: Session, port: number, onread: OnReadOpts | undefined): Promise<DataConnection> {
  const { channel, tls } = session
  const host = channel.socket.remoteAddress ?? ''
  const target = { port, ...(onread ? { onread } : {}) }
  const socket = tls
    ? connectTls({
        ...tls.options,
        ...target,
        host,
        // Proves to the server that both connections are one client's; many servers insist on it.
        session:
          channel.tlsSessionStore ?? (channel.socket instanceof TLSSocket ? channel.socket.getSession() : undefined),
        // Judged by `secured`, against the certificate of the control connection, which was verified.
        rejectUnauthorized: false,
      })
    : connectTcp({ ...target, host })
  const ready = socket instanceof TLSSocket ? secured(socket, session) : Promise.resolve()
  // Whoever waits for `ready` hears of it; whoever does not has heard of the transfer's end instead.
  ready.catch(() => undefined)
  return new Promise((resolve, reject) => {
    const settle = (error?: Error) => {
      channel.ended.removeEventListener('abort', onEnd)
      socket.removeListener('connect', onConnect)
      socket.removeListener('error', onError)
      if (error === undefined) {
        resolve({ socket, ready })
        return
      }
      socket.on('error', () => undefined).destroy()
      reject(error)
    }
    const onConnect = () => {
      // A data connection that is reset says so here and in the reply; the reply counts.
      socket.on('error', () => undefined)
      settle()
    }
    const onEnd = () => settle(channel.ended.reason as Error)
    const onError = (cause: Error) =>
      settle(new StorageError('CONNECTION_LOST', 'The data connection could not be opened.', { cause, inStep: true }))
    socket.once('connect', onConnect)
    socket.once('error', onError)
    channel.ended.addEventListener('abort', onEnd)
    if (channel.ended.aborted) onEnd()
  })
}

/** A resumed session proves the same peer; a new one must show the same certificate. */
function secured(socket: TLSSocket, { channel, tls }: Session): Promise<void> {
  // A ticket of TLS 1.3 serves once; the newest one is for the next data connection.
  socket.on('session', (ticket) => (channel.tlsSessionStore = ticket))
  return new Promise((resolve, reject) => {
    socket.once('secureConnect', () => {
      if (socket.isSessionReused() || fingerprintOf(socket) === tls?.fingerprint) {
        resolve()
        return
      }
      socket.destroy()
      reject(
        new StorageError('UNTRUSTED', 'The data connection showed another certificate than the control connection.'),
      )
    })
    socket.once('close', () => {
      reject(new StorageError('CONNECTION_LOST', 'The data connection broke before it was secured.'))
    })
  })
}
