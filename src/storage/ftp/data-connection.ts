import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls, TLSSocket } from 'node:tls'
import { StorageError } from '../errors.js'
import type { ControlChannel } from './control-channel.js'
import { DataReader } from './data-reader.js'
import { fingerprintOf, type TlsIdentity } from './tls-trust.js'

/** Whose data connections they are. */
export interface Peer {
  readonly channel: ControlChannel
  readonly tls: TlsIdentity | undefined
}

/** A data connection; with TLS the handshake follows when the server has begun the transfer. */
export interface DataConnection {
  readonly socket: Socket
  /** Reads what the server sends. */
  readonly reader: DataReader
  /** Settles when it is open as TCP; rejects CONNECTION_LOST. */
  readonly opened: Promise<void>
  /** Settles when bytes may flow; rejects UNTRUSTED, CONNECTION_LOST. At once without TLS. */
  readonly ready: Promise<void>
}

/** Connects to a port on the address of the control connection, whatever the server says. Deadline and abort are the channel's. */
export function connectData(peer: Peer, port: number): DataConnection {
  const { channel, tls } = peer
  const reader = new DataReader()
  const target = { port, host: channel.socket.remoteAddress ?? '', onread: reader.onread }
  const socket = tls
    ? connectTls({
        ...tls.options,
        ...target,
        // Proves to the server that both connections are one client's; many servers insist on it.
        session:
          channel.tlsSessionStore ?? (channel.socket instanceof TLSSocket ? channel.socket.getSession() : undefined),
        // Judged by `secured`, against the certificate of the control connection, which was verified.
        rejectUnauthorized: false,
      })
    : connectTcp(target)
  reader.attach(socket)
  const ready = socket instanceof TLSSocket ? secured(socket, peer) : Promise.resolve()
  // Whoever waits for `ready` hears of it; whoever does not has heard of the transfer's end instead.
  ready.catch(() => undefined)
  return { socket, reader, opened: opened(socket, channel), ready }
}

/** @throws CONNECTION_LOST, the reason why the channel ended */
function opened(socket: Socket, channel: ControlChannel): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error) => {
      channel.ended.removeEventListener('abort', onEnd)
      socket.removeListener('connect', onConnect)
      socket.removeListener('close', onClose)
      socket.removeListener('error', onClose)
      // A data connection that is reset says so here and in the reply; the reply counts.
      socket.on('error', () => undefined)
      if (error === undefined) {
        resolve()
        return
      }
      socket.destroy()
      reject(error)
    }
    const onConnect = () => settle()
    const onEnd = () => settle(channel.ended.reason as Error)
    const onClose = (cause: unknown) =>
      settle(new StorageError('CONNECTION_LOST', 'The data connection could not be opened.', { cause, inStep: true }))
    socket.once('connect', onConnect)
    socket.once('close', onClose)
    socket.once('error', onClose)
    channel.ended.addEventListener('abort', onEnd)
    if (channel.ended.aborted) onEnd()
  })
}

/** A resumed session proves the same peer; a new one must show the same certificate. */
function secured(socket: TLSSocket, { channel, tls }: Peer): Promise<void> {
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
