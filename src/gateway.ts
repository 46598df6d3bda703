import { once } from 'node:events'
import { createServer, STATUS_CODES, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { type Config } from './config/config.js'
import { addressMatcher } from './config/options.js'
import { ALLOWED } from './dav/allow.js'
import { messageOf, ValidationError } from './errors.js'
import { Slots } from './heap/slots.js'
import { discardBody, expectContinue, limitIdle } from './http/body.js'
import { loadCertificate } from './http/certificate.js'
import { HttpError } from './http/errors.js'
import { onRequestEnd } from './http/request-end.js'
import { requestIdOf } from './http/request-id.js'
import { judgeHeaders, judgeTarget } from './http/request-target.js'
import { answerFor } from './http/status.js'
import type { Logger } from './logger.js'

/** Answers one request. A rejection is logged and answered with what `http/status.ts` says. */
export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => unknown

export interface GatewayOptions {
  readonly config: Pick<
    Config,
    'host' | 'port' | 'dataDir' | 'publicUrl' | 'tls' | 'limits' | 'timeouts' | 'deadlines' | 'trustProxy'
  >
  readonly log: Logger
  /** Everything below `/dav`, and the WebDAV methods on `/`. */
  readonly dav: RequestHandler
  readonly web: RequestHandler
  /** Is told of every request when it is over. `status` 499: the client left before the answer was whole. */
  readonly onRequest?: ((request: FinishedRequest) => void) | undefined
}

export interface FinishedRequest {
  readonly method: string
  readonly status: number
  readonly seconds: number
}

export interface Listening {
  /** Where a browser on this machine reaches the gateway. */
  readonly url: string
  readonly port: number
  /** SHA-256 of the certificate in hex with colons; undefined without TLS. */
  readonly fingerprint: string | undefined
}

export interface Gateway {
  /** @throws ValidationError when the port or the certificate cannot be used */
  start(): Promise<Listening>
  /** Takes no more requests, lets running ones end within `timeouts.drain`, closes what is left. Safe to call again. */
  stop(): Promise<void>
}

/** Methods that mean the drive wherever they come; on `/`, clients look for it with them. */
const DAV_METHODS = new Set([
  'OPTIONS',
  'PROPFIND',
  'PROPPATCH',
  'MKCOL',
  'COPY',
  'MOVE',
  'LOCK',
  'UNLOCK',
  'PUT',
  'DELETE',
])

/** How often connections are looked at for `timeouts.headers`, at most. */
const CHECK_INTERVAL = 5000
/** A body that nobody read may keep the connection this long after the answer. */
const LEFTOVER_MS = 5000

export function createGateway({ config, log, dav, web, onRequest: tell }: GatewayOptions): Gateway {
  const { limits, timeouts, deadlines } = config
  const isProxy = addressMatcher(config.trustProxy)
  const running = new Slots<ServerResponse<IncomingMessage>>()
  const perAddress = new Map<string, number>()
  let server: Server | undefined
  let stopping: Promise<void> | undefined

  const handlerFor = (request: IncomingMessage): RequestHandler => {
    judgeHeaders(request)
    const path = judgeTarget(request)
    // RFC 9110 section 9.3.8: a server may refuse to echo what a client sent.
    if (request.method === 'TRACE') {
      throw new HttpError(405, 'METHOD_NOT_ALLOWED', 'TRACE is not served.', { headers: { Allow: allowedOn(path) } })
    }
    if (stopping) {
      throw new HttpError(503, 'STOPPING', 'The gateway is stopping. Try again shortly.', {
        headers: { 'Retry-After': '5', Connection: 'close' },
      })
    }
    if (isDrive(path)) return dav
    return path === '/' && DAV_METHODS.has(request.method ?? '') ? dav : web
  }

  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    const started = performance.now()
    const id = requestIdOf(request)
    const { method } = request
    const [path] = (request.url ?? '').split('?', 1)
    response.setHeader('X-Request-Id', id)
    const slot = running.add(response)
    request.on('error', () => {
      // Told to whoever reads the body; a reset of one that nobody reads must not end the process.
    })
    limitIdle(request, deadlines.clientIdle)
    onRequestEnd(request, response, () => {
      running.remove(slot)
      if (response.writableFinished) cutLeftover(request)
      const status = response.writableFinished ? response.statusCode : 499
      const ms = performance.now() - started
      tell?.({ method: method ?? '', status, seconds: ms / 1000 })
      log[status >= 500 ? 'warn' : 'debug']({ id, method, path, status, ms: Math.round(ms) }, 'request')
      if (stopping) setImmediate(() => server?.closeIdleConnections())
    })
    void serve(request, response)
  }

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    try {
      await handlerFor(request)(request, response)
    } catch (error) {
      const answer = answerFor(error)
      if (answer.status >= 500 && !(error instanceof HttpError))
        log.error({ id: requestIdOf(request), err: error }, 'request failed')
      if (response.headersSent) {
        response.destroy()
        return
      }
      discardBody(request, response)
      if (answer.retryAfterSeconds !== undefined) response.setHeader('Retry-After', answer.retryAfterSeconds)
      response.writeHead(answer.status, { ...PLAIN, ...answer.headers }).end(`${answer.message} (${answer.code})\n`)
    }
  }

  const onConnection = (socket: Socket): void => {
    const address = socket.remoteAddress ?? ''
    if (isProxy(address)) return
    const count = (perAddress.get(address) ?? 0) + 1
    perAddress.set(address, count)
    socket.once('close', () => {
      const left = (perAddress.get(address) ?? 1) - 1
      if (left === 0) perAddress.delete(address)
      else perAddress.set(address, left)
    })
    if (count > limits.connectionsPerAddress) socket.destroy()
  }

  /**
   * Nothing moved on a connection: a client that takes nothing of what is queued for it is cut, and whoever writes learns it
   * by `signalOf`; likewise one that has no request under way. Node restarts the timer whenever the kernel took some, so a
   * slow reader is not a stalled one, and sets `keepAliveTimeout` after a response.
   */
  const onQuiet = (socket: Socket): void => {
    const response = [...running].find((response) => response.socket === socket)
    if (response === undefined || response.writableLength > 0) socket.destroy()
  }

  /** A request that cannot be parsed. What is being sent on the same connection must not be mixed with an answer to it. */
  const onClientError = (error: NodeJS.ErrnoException, socket: Socket): void => {
    const busy = [...running].some(({ req }) => req.socket === socket)
    const status = CLIENT_ERRORS[error.code ?? ''] ?? 400
    log.debug({ status, reason: error.code }, 'unreadable request')
    if (busy || !socket.writable || error.code === 'ECONNRESET') {
      socket.destroy()
      return
    }
    socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () =>
      socket.destroy(),
    )
  }

  const start = async (): Promise<Listening> => {
    const options = {
      // Uploads take as long as they take; `http/body.ts` watches their progress.
      requestTimeout: 0,
      headersTimeout: timeouts.headers,
      connectionsCheckingInterval: Math.min(CHECK_INTERVAL, timeouts.headers),
      keepAliveTimeout: timeouts.keepAlive,
      maxHeaderSize: limits.headers,
      highWaterMark: 256 * 1024,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: 60_000,
    }
    const { tls } = config
    const certificate = tls.mode === 'off' ? undefined : await loadCertificate({ ...config, tls })
    server = certificate
      ? createTlsServer({
          ...options,
          cert: certificate.cert,
          key: certificate.key,
          handshakeTimeout: timeouts.headers,
        })
      : createServer(options)
    server.maxConnections = limits.connections
    server.setTimeout(deadlines.sendStall, onQuiet)
    server
      .on('connection', onConnection)
      .on('request', onRequest)
      .on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
        expectContinue(request, response)
        onRequest(request, response)
      })
      .on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
        discardBody(request, response)
        response.writeHead(417, PLAIN).end('The expectation cannot be met. (EXPECTATION_FAILED)\n')
      })
      .on('clientError', onClientError)
    try {
      server.listen(config.port, config.host)
      await once(server, 'listening')
    } catch (error) {
      const reason = messageOf(error).includes('EADDRINUSE') ? 'is in use by another program' : messageOf(error)
      throw new ValidationError([{ field: 'port', message: `${config.port} on ${config.host} ${reason}` }])
    }
    server.on('error', (error) => log.error({ err: error }, 'listening failed'))
    const { port } = server.address() as AddressInfo
    const host = ['0.0.0.0', '::'].includes(config.host) ? 'localhost' : config.host
    const url = `${certificate ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`
    return { url, port, fingerprint: certificate?.fingerprint }
  }

  const stop = (): Promise<void> => (stopping ??= drain())

  const drain = async (): Promise<void> => {
    if (!server?.listening) return
    const closed = once(server, 'close')
    server.close()
    for (const response of running) if (!response.headersSent) response.setHeader('Connection', 'close')
    const timer = setTimeout(() => server?.closeAllConnections(), timeouts.drain)
    await closed
    clearTimeout(timer)
  }

  return { start, stop }
}

const PLAIN = {
  'Content-Type': 'text/plain; charset=utf-8',
  'X-Content-Type-Options': 'nosniff',
  'Content-Security-Policy': "default-src 'none'",
}

const CLIENT_ERRORS: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
}

function isDrive(path: string): boolean {
  return path === '/dav' || path.startsWith('/dav/')
}

/** For `Allow`, which RFC 9110 section 15.5.6 wants with every 405. */
function allowedOn(path: string): string {
  return path === '/' || isDrive(path) ? ALLOWED : 'GET, HEAD'
}

function cutLeftover(request: IncomingMessage): void {
  const { complete, socket } = request
  if (complete || socket.closed) return
  const timer = setTimeout(() => socket.destroy(), LEFTOVER_MS)
  request.once('close', () => clearTimeout(timer))
}
