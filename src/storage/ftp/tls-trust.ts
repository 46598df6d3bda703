import { createHash } from 'node:crypto'
import { isIP, type Socket } from 'node:net'
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls'
import type { Trust } from '../driver.js'
import { StorageError } from '../errors.js'

/** TLS of one FTP connection: what its control and data connections have in common. */
export interface TlsIdentity {
  readonly options: ConnectionOptions
  /** Of the certificate that the control connection showed. */
  readonly fingerprint: string
}

/** `SHA256:…` over the DER of the certificate that the peer showed; undefined when it showed none. */
export function fingerprintOf(socket: TLSSocket): string | undefined {
  const certificate = socket.getPeerX509Certificate()
  if (!certificate) return undefined
  return 'SHA256:' + createHash('sha256').update(certificate.raw).digest('base64').replace(/=+$/, '')
}

/**
 * `host` and `servername` name the identity that a TLS session belongs to; Node resumes a session only for the same one
 * (CVE-2026-48934). With a pin the certificate is judged by us, right after the handshake.
 */
function optionsFor(host: string, trust: Trust | 'any'): ConnectionOptions {
  return {
    host,
    ...(isIP(host) ? {} : { servername: host }),
    minVersion: 'TLSv1.2',
    rejectUnauthorized: trust !== 'any' && trust.kind === 'public-ca',
  }
}

/**
 * Puts TLS on a connected socket and checks whom it leads to; no byte of ours has been sent inside it when this rejects.
 * @param stop ends the wait; its reason is thrown
 * @throws UNTRUSTED, PROTOCOL (no TLS)
 */
export async function secure(
  raw: Socket,
  host: string,
  trust: Trust | 'any',
  stop: AbortSignal,
): Promise<{ socket: TLSSocket; identity: TlsIdentity }> {
  const options = optionsFor(host, trust)
  const socket = connect({ ...options, socket: raw })
  try {
    await handshake(socket, stop)
    const fingerprint = fingerprintOf(socket)
    if (fingerprint === undefined) throw new StorageError('UNTRUSTED', 'The server showed no certificate.')
    if (trust !== 'any') assertTrusted(fingerprint, trust)
    return { socket, identity: { options, fingerprint } }
  } catch (error) {
    socket.on('error', () => undefined).destroy()
    throw error
  }
}

function assertTrusted(fingerprint: string, trust: Trust): void {
  if (trust.kind === 'public-ca') return
  if (trust.kind === 'pinned' && trust.fingerprints.includes(fingerprint)) return
  throw new StorageError('UNTRUSTED', `The server showed a certificate that is not trusted: ${fingerprint}`)
}

function handshake(socket: TLSSocket, stop: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error) => {
      stop.removeEventListener('abort', onStop)
      socket.removeListener('secureConnect', onSecure)
      socket.removeListener('error', onError)
      socket.removeListener('close', onClose)
      if (error === undefined) resolve()
      else reject(error)
    }
    const onStop = () => settle(stop.reason as Error)
    const onSecure = () => settle()
    const onError = (error: Error) => settle(tlsFault(error))
    const onClose = () => settle(tlsFault(new Error('closed during the handshake')))
    socket.once('secureConnect', onSecure)
    socket.once('error', onError)
    socket.once('close', onClose)
    if (stop.aborted) onStop()
    else stop.addEventListener('abort', onStop)
  })
}

/** Verification errors of OpenSSL and of the host name check have these codes; the rest is no TLS at all. */
const DISTRUST = /CERT|SIGNATURE|ISSUER|ALTNAME|HOSTNAME|CA_|CRL|SELF_SIGNED/

function tlsFault(cause: Error): StorageError {
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : ''
  if (DISTRUST.test(code)) {
    return new StorageError('UNTRUSTED', `The server's certificate is not trusted (${code}).`, { cause })
  }
  return new StorageError('PROTOCOL', 'TLS could not be set up with the server.', { cause })
}
