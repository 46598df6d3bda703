import { Agent, request } from 'node:http'
import { PASSWORD, USER } from '../../support/drive.js'

export interface Asked {
  readonly method: string
  readonly url: string
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly body?: Buffer | string | undefined
  /** `user:password`; default the user of the drive. */
  readonly auth?: string | undefined
  /** A connection to use again; default a new one for each request. */
  readonly agent?: Agent | undefined
  /** Called with the number of bytes that came so far; may cut the connection. */
  readonly onBytes?: ((bytes: number, cut: () => void) => void | Promise<void>) | undefined
}

export interface Answer {
  /** `cut`: no answer came before the connection ended. */
  readonly status: number | 'cut'
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
  /** The answer ended as HTTP says that it ends. */
  readonly whole: boolean
  /** Milliseconds from the request to the end. */
  readonly ms: number
}

/** A connection for each request: an answer's end says nothing of the next one. */
const ONCE = new Agent({ keepAlive: false, maxSockets: Infinity })

/** One request. Resolves however it ends. */
export function ask({
  method,
  url,
  headers,
  body,
  auth = `${USER}:${PASSWORD}`,
  agent = ONCE,
  onBytes,
}: Asked): Promise<Answer> {
  const started = performance.now()
  return new Promise((resolve) => {
    const length = body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) }
    const outgoing = request(url, { method, auth, agent, headers: { ...headers, ...length } })
    const chunks: Buffer[] = []
    let received = 0
    let head: Pick<Answer, 'status' | 'headers'> = { status: 'cut', headers: {} }
    const finish = (whole: boolean): void =>
      resolve({ ...head, body: Buffer.concat(chunks), whole, ms: performance.now() - started })
    let answered = false
    outgoing.on('response', (response) => {
      answered = true
      head = { status: response.statusCode ?? 0, headers: response.headers }
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk)
        received += chunk.length
        const held = onBytes?.(received, () => outgoing.destroy())
        if (!(held instanceof Promise)) return
        response.pause()
        void held.then(() => response.resume())
      })
      response.on('error', () => undefined)
      response.on('close', () => finish(response.complete))
    })
    outgoing.on('error', () => undefined)
    outgoing.on('close', () => {
      // On a connection that is kept, the request is over before its answer was read.
      if (!answered) finish(false)
    })
    outgoing.end(body)
  })
}

/** The names in a multistatus of Depth 1 besides the folder itself. */
export function namesIn(multistatus: string): string[] {
  const hrefs = [...multistatus.matchAll(/<D:response><D:href>([^<]*)<\/D:href>/g)].map((match) => match[1] ?? '')
  return hrefs.slice(1).map((href) => decodeURIComponent(href.replace(/\/$/, '').split('/').at(-1) ?? ''))
}
