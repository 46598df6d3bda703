import { request as requestHttp, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { anyOf } from '../heap/signals.js'
import type { Drivers } from '../storage/drivers.js'
import { fingerprintOf, isTrusted } from '../storage/sftp/sftp-login.js'
import { MOST_OUTPUT, PROGRAM_DEADLINE } from './machine.js'
import { fromStorage, ProvisionError } from './provision-error.js'
import type { ProvisionerCall } from './provisioner.js'

export interface JsonAnswer {
  readonly status: number
  /** Undefined where the body is empty or no JSON. */
  readonly body: unknown
}

export interface JsonClientOptions {
  readonly drivers: Pick<Drivers, 'dial'>
  readonly url: string
  /** Pins the certificate; without it the system's CAs decide. */
  readonly fingerprints: readonly string[] | undefined
  readonly deadline?: number | undefined
}

export interface JsonRequest extends ProvisionerCall {
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

/** Requests to one HTTP API: each on a connection of its own that keeps the rules about addresses, none redirected. */
export class JsonClient {
  readonly #base: URL
  readonly #deadline: number

  constructor(private readonly options: JsonClientOptions) {
    this.#base = new URL(options.url)
    this.#deadline = options.deadline ?? PROGRAM_DEADLINE
  }

  /** @param path escaped, below the base address @throws UNREACHABLE, UNTRUSTED, TIMED_OUT, ABORTED, PROTOCOL */
  async send(method: string, path: string, { headers, body, signal }: JsonRequest = {}): Promise<JsonAnswer> {
    const time = AbortSignal.timeout(this.#deadline)
    const stop = signal ? anyOf(signal, time) : time
    let socket: Socket | undefined
    try {
      socket = await this.#connect(stop)
      return await exchange(socket, { method, path: this.#pathOf(path), headers: this.#headersOf(headers) }, body, stop)
    } catch (error) {
      if (signal?.aborted) throw new ProvisionError('ABORTED', 'The step was stopped.', { cause: error })
      if (time.aborted) {
        throw new ProvisionError('TIMED_OUT', `No answer within ${this.#deadline} ms.`, { cause: error })
      }
      const known = fromStorage(error)
      if (known instanceof ProvisionError) throw known
      throw new ProvisionError('UNREACHABLE', 'The connection to the server broke.', { cause: error })
    } finally {
      socket?.destroy()
    }
  }

  #pathOf(path: string): string {
    return this.#base.pathname.replace(/\/+$/, '') + path
  }

  #headersOf(headers: Readonly<Record<string, string>> = {}): Record<string, string> {
    return { host: this.#base.host, accept: 'application/json', connection: 'close', ...headers }
  }

  async #connect(signal: AbortSignal): Promise<Socket> {
    const { protocol, hostname, port } = this.#base
    const secure = protocol === 'https:'
    const host = hostname.replace(/^\[(.*)\]$/, '$1')
    const socket = await this.options.drivers.dial(host, port === '' ? (secure ? 443 : 80) : Number(port), { signal })
    if (!secure) return socket
    try {
      return await this.#secured(socket, host, signal)
    } catch (error) {
      socket.destroy()
      throw error
    }
  }

  #secured(socket: Socket, host: string, signal: AbortSignal): Promise<TLSSocket> {
    const { fingerprints } = this.options
    return new Promise((resolve, reject) => {
      const stop = () => reject(new Error('stopped'))
      signal.addEventListener('abort', stop, { once: true })
      const named = /^[\d.]+$|:/.test(host) ? {} : { servername: host }
      const tls = connectTls({ socket, host, ...named, rejectUnauthorized: fingerprints === undefined })
      tls.once('error', (error: NodeJS.ErrnoException) => {
        const distrusted = /^(CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|ERR_TLS_CERT)/.test(error.code ?? '')
        reject(
          distrusted ? new ProvisionError('UNTRUSTED', 'The certificate is not trusted.', { cause: error }) : error,
        )
      })
      tls.once('secureConnect', () => {
        signal.removeEventListener('abort', stop)
        const shown = fingerprintOf(tls.getPeerCertificate().raw)
        if (fingerprints === undefined || isTrusted({ kind: 'pinned', fingerprints }, shown)) resolve(tls)
        else reject(new ProvisionError('UNTRUSTED', `The server shows the certificate ${shown}, which is not trusted.`))
      })
    })
  }
}

interface Head {
  readonly method: string
  readonly path: string
  readonly headers: Record<string, string>
}

function exchange(socket: Socket, head: Head, body: unknown, signal: AbortSignal): Promise<JsonAnswer> {
  const text = body === undefined ? undefined : JSON.stringify(body)
  const length =
    text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }
  return new Promise((resolve, reject) => {
    const { method, path, headers } = head
    const options = { method, path, headers: { ...headers, ...length }, signal, createConnection: () => socket }
    const request = requestHttp(options, (response) => {
      collect(response).then(resolve, reject)
    })
    request.on('error', reject)
    request.end(text)
  })
}

async function collect(response: IncomingMessage): Promise<JsonAnswer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MOST_OUTPUT) throw new ProvisionError('PROTOCOL', 'The server answers with more than is taken.')
    chunks.push(chunk)
  }
  return { status: response.statusCode ?? 0, body: parsed(Buffer.concat(chunks).toString()) }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    // What is not JSON is told by its status alone.
    return undefined
  }
}
