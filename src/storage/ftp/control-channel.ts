import { FTPContext, FTPError, type FTPResponse } from 'basic-ftp'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { StorageError } from '../errors.js'

/** A complete reply of the server, RFC 959 section 4.2; `text` holds all its lines, codes included. */
export interface Reply {
  readonly code: number
  readonly text: string
}

/** Somebody who waits for the reply to a command, or to the connection as such. */
interface Waiting {
  /** Judges a 1xx reply. */
  readonly isFinal: (reply: Reply) => boolean
  /** The next command may be sent before its answer came. */
  readonly ahead: boolean
  readonly resolve: (reply: Reply) => void
  readonly reject: (reason: unknown) => void
}

/** Bytes of one reply that may wait for their end of line. */
const MAX_LINE = 64 * 1024

/**
 * The control connection: commands out, replies in, strictly in step. basic-ftp keeps the socket and reads replies; added is
 * what it leaves open: replies are cut at line ends only (a reply may arrive byte by byte), a reply that nobody asked for ends
 * the connection, what is sent is checked as the bytes that leave, and who waits costs no stack trace.
 *
 * It sets no deadline of its own: whoever waits calls `end` when time is up, and every pending call rejects with that error.
 */
export class ControlChannel extends FTPContext {
  readonly #ended = new AbortController()
  #unfinished = ''
  #cut = false
  /** In the order of what was sent. */
  #waiting: Waiting[] = []

  constructor(encoding: 'utf8' | 'latin1') {
    super(0, encoding)
  }

  /** Fires when the connection is over, whoever ended it; the reason is a StorageError. */
  get ended(): AbortSignal {
    return this.#ended.signal
  }

  get open(): boolean {
    return !this.#ended.signal.aborted && !this.closed
  }

  /** Takes over a connected socket, or the TLS socket on top of the present one. */
  adopt(socket: Socket | TLSSocket): void {
    if (this.#ended.signal.aborted) {
      socket.destroy()
      throw this.#ended.signal.reason
    }
    this.#unfinished = ''
    this.socket = socket
  }

  /** Ends the connection; whatever is pending rejects with `reason`. */
  end(reason: StorageError): void {
    this.closeWithError(reason)
  }

  /** The greeting of a new connection. */
  greeting(): Promise<Reply> {
    return this.#converse(undefined)
  }

  /**
   * Sends one command and waits for its final reply, whatever its code.
   * @throws INVALID_NAME before anything is sent; CONNECTION_LOST; the reason of `end`
   */
  command(line: string): Promise<Reply> {
    return this.#converse(line)
  }

  /** The same, and further commands may be sent before its answer came: for a server that answers them one after the other. */
  ahead(line: string): Promise<Reply> {
    return this.#converse(line, { ahead: true })
  }

  /**
   * Sends commands in one write, for a server that answers them one after the other; none may need the answer to one before
   * it, and none a data connection.
   * @throws as `command`
   */
  async together(lines: readonly string[]): Promise<readonly Reply[]> {
    for (const line of lines) this.#assertSendable(line)
    this.socket.cork()
    const replies = lines.map((line, index) => this.#converse(line, { behind: index > 0 }))
    this.socket.uncork()
    return Promise.all(replies)
  }

  /** The same for a command with a data connection. @param onBegin called with the first 1xx reply */
  transfer(line: string, onBegin: (reply: Reply) => void): Promise<Reply> {
    return this.#transfer(line, onBegin, false)
  }

  /** The same, behind commands in the same write, as for `together`. */
  transferBehind(
    before: readonly string[],
    line: string,
    onBegin: (reply: Reply) => void,
  ): { readonly answers: Promise<readonly Reply[]>; readonly replied: Promise<Reply> } {
    for (const each of [...before, line]) this.#assertSendable(each)
    this.socket.cork()
    const answers = before.map((each, index) => this.#converse(each, { behind: index > 0 }))
    const replied = this.#transfer(line, onBegin, before.length > 0)
    this.socket.uncork()
    return { answers: Promise.all(answers), replied }
  }

  #transfer(line: string, onBegin: (reply: Reply) => void, behind: boolean): Promise<Reply> {
    let begun = false
    this.#cut = false
    const isFinal = (reply: Reply): boolean => {
      if (begun) return this.#cut
      begun = true
      onBegin(reply)
      return false
    }
    return this.#converse(line, { isFinal, behind })
  }

  /**
   * The data connection of the running transfer was dropped by us: from now on a second 1xx reply counts as its end, too.
   * That is how pure-ftpd ends a RETR whose reader went away.
   */
  cutTransfer(): void {
    this.#cut = true
  }

  /** @param behind it may be sent while those before it are unanswered */
  async #converse(
    line: string | undefined,
    { isFinal = () => false, ahead = false, behind = false }: Partial<Waiting> & { readonly behind?: boolean } = {},
  ): Promise<Reply> {
    if (line !== undefined) this.#assertSendable(line)
    if (this.#ended.signal.aborted) throw this.#ended.signal.reason
    if (this.closed) throw lost(new Error('It is not connected.'))
    if (!behind && this.#waiting.some((waiting) => !waiting.ahead)) {
      this.end(lost(new Error('A command was sent before the one before it was answered.')))
      throw this.#ended.signal.reason
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ isFinal, ahead, resolve, reject })
      if (line !== undefined) this.send(line)
    })
  }

  #assertSendable(line: string): void {
    assertSendable(line, this.encoding === 'latin1' ? 'latin1' : 'utf8')
  }

  override closeWithError(error: Error): void {
    if (this.#ended.signal.aborted) return
    this.#ended.abort(error instanceof StorageError ? error : lost(error))
    super.closeWithError(error)
  }

  protected override _onControlSocketData(chunk: string): void {
    this.#unfinished += chunk
    const end = this.#unfinished.lastIndexOf('\n') + 1
    if (end === 0) {
      if (this.#unfinished.length > MAX_LINE) {
        this.end(new StorageError('PROTOCOL', 'The server sent a reply without end.'))
      }
      return
    }
    const lines = this.#unfinished.slice(0, end)
    this.#unfinished = this.#unfinished.slice(end)
    super._onControlSocketData(lines)
  }

  protected override _passToHandler(response: Error | FTPResponse): void {
    if (response instanceof Error && !(response instanceof FTPError)) {
      for (const { reject } of this.#waiting.splice(0)) reject(this.#ended.signal.reason ?? lost(response))
      return
    }
    const [waiting] = this.#waiting
    if (waiting === undefined) {
      this.end(new StorageError('CONNECTION_LOST', 'The server ended the session, or answered what nobody asked.'))
      return
    }
    const reply = { code: response.code, text: response.message }
    if (reply.code < 200 && !waiting.isFinal(reply)) return
    // 421 ends the session, and with it whatever was asked besides.
    for (const { resolve } of this.#waiting.splice(0, reply.code === 421 ? Infinity : 1)) resolve(reply)
  }
}

function lost(cause: unknown): StorageError {
  return new StorageError('CONNECTION_LOST', 'The connection to the server broke.', { cause })
}

/** What ends a command on the wire, or a name in the server. */
const UNSENDABLE = /[\0\r\n]/

/**
 * The bytes on the wire must be those of the characters: latin1 keeps only the low byte of one, and U+010D U+010A would
 * arrive as CR LF, which ends a command.
 * @throws INVALID_NAME
 */
export function assertSendable(line: string, encoding: 'utf8' | 'latin1'): void {
  const exact = encoding === 'latin1' ? Buffer.from(line, 'latin1').toString('latin1') === line : line.isWellFormed()
  if (!exact || UNSENDABLE.test(line)) {
    throw new StorageError('INVALID_NAME', 'The server cannot be sent this name.', { inStep: true })
  }
}
