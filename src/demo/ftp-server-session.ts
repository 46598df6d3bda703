import type { Socket } from 'node:net'
import { posix } from 'node:path'
import { COMMANDS, MODERN, OPEN_COMMANDS } from './ftp-server-commands.js'
import { DataPort } from './ftp-server-data.js'
import { FAULTS, FtpReply } from './ftp-server-replies.js'
import type { JailedFolder } from './jailed-folder.js'

/** Milliseconds. */
export interface FtpDeadlines {
  /** Without a command. */
  readonly idle: number
  /** From the transfer command to the data connection. */
  readonly accept: number
  /** Without a byte during a transfer. */
  readonly stall: number
}

export interface FtpSessionOptions {
  /** The folder of that login; undefined when it is refused. */
  readonly login: (username: string, password: string) => JailedFolder | undefined
  readonly deadlines: FtpDeadlines
  /** Without MLSD, MLST and MFMT. */
  readonly listOnly: boolean
}

/** Moves the bytes of one transfer; the connection is ended by the caller. */
export type Transfer = (data: Socket, signal: AbortSignal) => Promise<void>

const MAX_LINE = 8192
const MAX_WAITING = 100
const MAX_UNREAD = 64 * 1024
const MAX_REFUSED = 3
/** Commands that leave to the next one what REST said. */
const PREPARING = new Set(['REST', 'EPSV', 'PASV', 'TYPE'])
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** One control connection. Commands are answered one after the other; ABOR stops the transfer under way (RFC 959). */
export class FtpSession {
  /** Settles when the connection has ended and nothing of it is open. */
  readonly ended: Promise<void>
  folder: JailedFolder | undefined
  cwd = '/'
  /** What REST said, for the next transfer. */
  restart = 0
  renameFrom: string | undefined
  username: string | undefined
  #refused = 0
  #input = ''
  #waiting = 0
  #queue: Promise<void> = Promise.resolve()
  #port: DataPort | undefined
  #transfer: AbortController | undefined

  constructor(
    private readonly socket: Socket,
    readonly options: FtpSessionOptions,
  ) {
    // Lines are cut as bytes; what they say is UTF-8.
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => this.#take(text))
    // A client that breaks off is no news here.
    socket.on('error', () => undefined)
    socket.setTimeout(options.deadlines.idle)
    socket.on('timeout', () => this.#transfer ?? this.bye(421, 'Nothing asked for too long.'))
    this.ended = new Promise((resolve) => {
      socket.on('close', () => {
        this.#transfer?.abort()
        this.#queue = this.#queue.then(() => this.#port?.close())
        void this.#queue.then(resolve)
      })
    })
    this.reply(220, 'FTPCluster demo.')
  }

  /** The last of `lines` ends the reply; those between are indented. */
  reply(code: number, ...lines: string[]): void {
    const last = lines.pop() ?? ''
    const first = lines.map((line, index) => (index === 0 ? `${code}-${line}\r\n` : ` ${line}\r\n`))
    if (this.socket.writable) this.socket.write(`${first.join('')}${code} ${last}\r\n`)
  }

  /** The last reply. It is in the kernel's hands when the socket goes, unless the client does not read. */
  bye(code: number, text: string): void {
    this.reply(code, text)
    this.socket.destroy()
  }

  /** The path that `argument` names, as the client sees it. */
  path(argument: string): string {
    if (argument === '') throw new FtpReply(501, 'A path is missing.')
    return posix.resolve(this.cwd, argument)
  }

  authenticate(password: string): void {
    if (this.username === undefined) throw new FtpReply(503, 'USER comes first.')
    this.folder = this.options.login(this.username, password)
    if (this.folder) this.reply(230, 'Logged in.')
    else if (++this.#refused === MAX_REFUSED) this.bye(421, 'Login incorrect, too often.')
    else this.reply(530, 'Login incorrect.')
    this.username = undefined
  }

  /** Listens for the next data connection. @returns address and port */
  async listen(): Promise<{ host: string; port: number; ipv4: boolean }> {
    this.#port?.close()
    this.#port = undefined
    const host = (this.socket.localAddress ?? '').replace(/^::ffff:/, '')
    this.#port = await DataPort.open(this.socket)
    return { host, port: this.#port.port, ipv4: !host.includes(':') }
  }

  /**
   * One transfer on the data connection. `prepare` runs once that is there, so that a file is not truncated for nothing;
   * what it throws is answered like any error.
   */
  async transfer(prepare: () => Promise<Transfer>): Promise<void> {
    const port = this.#port
    this.#port = undefined
    if (!port) throw new FtpReply(425, 'EPSV or PASV comes first.')
    const abort = (this.#transfer = new AbortController())
    if (this.socket.destroyed) abort.abort()
    let data: Socket | undefined
    try {
      data = await port.accept(this.options.deadlines.accept, abort.signal)
      if (!data)
        throw abort.signal.aborted ? new FtpReply(426, 'Aborted.') : new FtpReply(425, 'No data connection came.')
      const run = await prepare()
      data.setTimeout(this.options.deadlines.stall, () => data?.destroy())
      this.reply(150, 'Opening the data connection.')
      await Promise.race([run(data, abort.signal), whenAborted(abort.signal)]).catch((error: NodeJS.ErrnoException) => {
        // What the file system does not say comes from the client's side.
        throw FAULTS[error.code ?? ''] ? error : new FtpReply(426, 'Transfer aborted.')
      })
    } finally {
      data?.destroy()
      this.#transfer = undefined
    }
    this.reply(226, 'Transfer complete.')
  }

  #take(text: string): void {
    const lines = (this.#input + text).split('\r\n')
    this.#input = lines.pop() ?? ''
    for (const line of lines) {
      // Telnet's IAC sequences (RFC 959 section 4.1.3); no such byte is in UTF-8.
      const bytes = Buffer.from(line.replace(/\xff[\xf0-\xfe]?/g, ''), 'latin1')
      if (/^ABOR$/i.test(bytes.toString())) this.#transfer?.abort()
      this.#waiting++
      this.#queue = this.#queue.then(() => this.#execute(bytes)).finally(() => --this.#waiting || this.socket.resume())
    }
    if (this.#input.length > MAX_LINE) this.bye(500, 'The line is too long.')
    else if (this.#waiting > MAX_WAITING) this.socket.pause()
  }

  async #execute(bytes: Buffer): Promise<void> {
    if (this.socket.destroyed) return
    try {
      if (bytes.length > MAX_LINE) throw new FtpReply(500, 'The line is too long.')
      const line = decode(bytes)
      const [, verb = '', argument = ''] = /^([A-Za-z]*) ?(.*)$/s.exec(line) ?? []
      await this.#perform(verb.toUpperCase(), argument)
    } catch (error) {
      const { code = '', message } = error as NodeJS.ErrnoException
      if (error instanceof FtpReply) this.reply(error.code, message)
      else this.reply(...(FAULTS[code] ?? ([451, `Local error ${code}`] as const)))
    }
    while (this.socket.writableLength > MAX_UNREAD && !this.socket.destroyed) {
      await new Promise<void>((resolve) => this.socket.once('drain', resolve).once('close', resolve))
    }
  }

  async #perform(verb: string, argument: string): Promise<void> {
    if (verb !== 'RNTO') this.renameFrom = undefined
    const open = OPEN_COMMANDS[verb]
    const command = this.options.listOnly && MODERN.has(verb) ? undefined : COMMANDS[verb]
    try {
      if (open) open(this, argument)
      else if (!this.folder) throw new FtpReply(530, 'Log in first.')
      else if (command) await command(this, argument, this.folder)
      else throw new FtpReply(502, 'Not implemented.')
    } finally {
      if (!PREPARING.has(verb)) this.restart = 0
    }
  }
}

/** A transfer that ABOR or the end of the connection stops need not be waited for. */
function whenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const abort = () => reject(new FtpReply(426, 'Aborted.'))
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
  })
}

/** @throws FtpReply for what can be no name */
function decode(bytes: Buffer): string {
  if (bytes.some((byte) => byte === 0 || byte === 10 || byte === 13)) throw new FtpReply(501, 'A stray CR, LF or NUL.')
  try {
    return UTF8.decode(bytes)
  } catch {
    throw new FtpReply(501, 'Not UTF-8.')
  }
}
