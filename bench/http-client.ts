import { connect, type Socket } from 'node:net'
import { chunksOf, type Content } from './content.js'

export interface Request {
  readonly method: string
  /** Path as it stands in the request line. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Content
  /** Gets the bytes of the answer's body as they come; without it they are in `Answer.body`. Views, not copies. */
  readonly sink?: (chunk: Buffer) => void
}

export interface Answer {
  readonly status: number
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: Buffer
}

/** The other side closed the connection in the middle of an answer. */
export class BrokenOff extends Error {
  override readonly name = 'BrokenOff'
}

/** Nothing of the bench waits longer for one answer. */
const DEADLINE = 300_000

/**
 * A keep-alive HTTP/1.1 connection that costs little itself: what is measured is the other side. Bodies of a known length
 * and chunked ones are understood; anything else is an error.
 */
export class HttpConnection {
  #socket: Socket | undefined
  #parser: AnswerParser | undefined
  #fail: ((error: Error) => void) | undefined

  constructor(
    private readonly port: number,
    private readonly authorization: string,
  ) {}

  async request(request: Request): Promise<Answer> {
    const socket = await this.#open()
    const { body } = request
    const length = body === undefined ? 0 : typeof body === 'string' ? Buffer.byteLength(body) : body.length
    const lines = [
      `${request.method} ${request.path} HTTP/1.1`,
      `Host: 127.0.0.1:${this.port}`,
      `Authorization: ${this.authorization}`,
      ...Object.entries(request.headers ?? {}).map(([name, value]) => `${name}: ${value}`),
      ...(body === undefined ? [] : [`Content-Length: ${length}`]),
    ]
    const head = lines.join('\r\n') + '\r\n\r\n'
    const answered = new Promise<Answer>((resolve, reject) => {
      this.#parser = new AnswerParser(request, resolve)
      this.#fail = reject
    })
    const timer = setTimeout(() => this.#end(new Error('no answer in time')), DEADLINE)
    try {
      if (typeof body === 'object') {
        answered.catch(() => undefined) // Told below.
        socket.write(head)
        await this.#send(socket, body)
      } else socket.write(head + (body ?? ''))
      const answer = await answered
      if (answer.headers.get('connection')?.toLowerCase() === 'close') this.close()
      return answer
    } catch (error) {
      this.close()
      const Kind = error instanceof BrokenOff ? BrokenOff : Error
      throw new Kind(`${request.method} ${request.path}: ${(error as Error).message}`, { cause: error })
    } finally {
      clearTimeout(timer)
      this.#parser = undefined
      this.#fail = undefined
    }
  }

  close(): void {
    this.#socket?.destroy()
    this.#socket = undefined
  }

  #open(): Promise<Socket> {
    if (this.#socket && !this.#socket.destroyed && this.#socket.readable) return Promise.resolve(this.#socket)
    return new Promise((resolve, reject) => {
      const onread = {
        buffer: Buffer.allocUnsafeSlow(512 * 1024),
        callback: (length: number, buffer: Uint8Array) => {
          this.#received(buffer as Buffer, length)
          return true
        },
      }
      const socket = connect({ port: this.port, host: '127.0.0.1', noDelay: true, onread })
      socket.once('connect', () => {
        this.#socket = socket
        resolve(socket)
      })
      socket.on('error', (error) => {
        reject(error)
        this.#fail?.(error)
      })
      socket.on('close', () => {
        if (this.#socket === socket) this.#socket = undefined
        this.#fail?.(new BrokenOff('the connection closed before the answer was complete'))
      })
    })
  }

  #end(error: Error): void {
    this.#fail?.(error)
    this.close()
  }

  #received(buffer: Buffer, length: number): void {
    try {
      if (this.#parser === undefined) throw new Error('bytes came that nobody asked for')
      this.#parser.take(buffer.subarray(0, length))
    } catch (error) {
      this.#end(error as Error)
    }
  }

  async #send(socket: Socket, content: Content): Promise<void> {
    for (const chunk of chunksOf(content)) {
      if (socket.destroyed || this.#parser === undefined) return
      if (socket.write(chunk)) continue
      await new Promise<void>((resolve) => {
        const go = () => {
          socket.off('drain', go).off('close', go)
          resolve()
        }
        socket.on('drain', go).on('close', go)
      })
    }
  }
}

class AnswerParser {
  #text = Buffer.alloc(0)
  #status = 0
  #headers = new Map<string, string>()
  readonly #parts: Buffer[] = []
  #state: 'head' | 'body' | 'size' | 'chunk' | 'trailer' | 'done' = 'head'
  #left = 0

  constructor(
    private readonly request: Request,
    private readonly done: (answer: Answer) => void,
  ) {}

  take(bytes: Buffer): void {
    let rest = bytes
    while (rest.length > 0) {
      if (this.#state === 'done') throw new Error('more bytes than the answer has')
      if (this.#state === 'body' || this.#state === 'chunk') {
        const piece = rest.subarray(0, this.#left)
        rest = rest.subarray(piece.length)
        this.#left -= piece.length
        if (this.request.sink && this.#status < 300) this.request.sink(piece)
        else this.#parts.push(Buffer.from(piece))
        if (this.#left > 0) return
        if (this.#state === 'body') this.#finish()
        else this.#state = 'size'
        continue
      }
      const end = this.#state === 'head' ? '\r\n\r\n' : '\r\n'
      const text = this.#text.length > 0 ? Buffer.concat([this.#text, rest]) : rest
      const at = text.indexOf(end)
      if (at < 0) {
        this.#text = Buffer.from(text)
        return
      }
      rest = text.subarray(at + end.length)
      this.#text = Buffer.alloc(0)
      this.#line(text.toString('latin1', 0, at))
    }
  }

  #line(text: string): void {
    if (this.#state === 'head') this.#head(text)
    else if (this.#state === 'trailer') this.#finish()
    // The line end after a chunk is an empty line.
    else if (text !== '') {
      this.#left = parseInt(text, 16)
      if (!Number.isSafeInteger(this.#left)) throw new Error(`no chunk size: ${text.slice(0, 40)}`)
      this.#state = this.#left === 0 ? 'trailer' : 'chunk'
    }
  }

  #head(text: string): void {
    const [first = '', ...lines] = text.split('\r\n')
    this.#status = Number(first.split(' ')[1])
    for (const line of lines) {
      const colon = line.indexOf(':')
      this.#headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim())
    }
    if (this.#status < 200) {
      this.#headers = new Map()
      return
    }
    if (this.#headers.get('transfer-encoding') === 'chunked') {
      this.#state = 'size'
      return
    }
    const announced = this.#headers.get('content-length')
    const empty = this.request.method === 'HEAD' || this.#status === 204 || this.#status === 304
    if (announced === undefined && !empty) throw new Error('an answer of unknown length')
    this.#left = empty ? 0 : Number(announced)
    if (this.#left === 0) this.#finish()
    else this.#state = 'body'
  }

  #finish(): void {
    this.#state = 'done'
    this.done({ status: this.#status, headers: this.#headers, body: Buffer.concat(this.#parts) })
  }
}
