import type { Socket } from 'node:net'
import type { SFTPWrapper } from 'ssh2'
import type { OperationOptions } from '../driver.js'
import type { StorageError } from '../errors.js'
import { Slots } from '../../heap/slots.js'
import type { RoundTrip } from './round-trip.js'
import { LARGEST_READ } from './read-buffers.js'
import { Handles } from './handles.js'
import { SocketBuffer, type SshProtocol } from './socket-buffer.js'
import { takeReadAnswers, type SftpParser } from './read-answers.js'
import { abortedBy, connectionLost, SftpStatusError, timedOut } from './sftp-errors.js'
import { freeWhatLeft } from './write-request.js'

/** What ssh2's SFTP object knows and its types do not tell: extensions from the VERSION packet, `limits@openssh.com`. */
interface SftpInternals {
  readonly _extensions: Readonly<Record<string, string>>
  readonly _maxReadLen: number
  readonly _maxWriteLen: number
  readonly _client: {
    readonly _remoteVer?: string
    sftp(done: (error: Error | undefined, sftp: SFTPWrapper) => void): void
  }
  readonly _protocol: SshProtocol & { channelWindowAdjust(channel: number, bytes: number): void }
  readonly incoming: { window: number }
  readonly outgoing: { readonly id: number; readonly state: string }
}

/** What ssh2 lets a server send ahead on one channel. */
const SSH2_WINDOW = 2 * 1024 * 1024

/** The callback of an ssh2 request. */
export type Answer<T> = (error: Error | undefined | null, value: T) => void

/** A further channel, and what ends it in order. */
export interface Channel {
  readonly sftp: SFTPWrapper
  readonly end: () => void
}

/** Bytes below which traffic is no progress of a transfer: keepalives alone stay under it. */
const PROGRESS = 4096

/** How long a request that nobody waits for may wait for another to leave with. Milliseconds. */
const SOON = 5

/** Servers known to work through the requests of one connection strictly in order (`software` of the SSH greeting). */
const ORDERED = /^(OpenSSH|mod_sftp|SFTPGo|dropbear)/i

/**
 * Servers whose SFTP channels are programs of their own over one file system, so that several may write to one file: the
 * writes of others may end in uploads of their own.
 */
const PLAIN_FILES = /^(OpenSSH|dropbear)/i

/**
 * One SFTP channel on one SSH connection: requests as promises that always settle. Whatever breaks or stalls ends the
 * session, and with it every request under way.
 */
export class SftpSession {
  readonly maxRead: number
  readonly maxWrite: number
  /** Requests of one directory listing that may be under way together. */
  readonly readdirDepth: number
  /** Whether the server works through requests in the order in which they come. */
  readonly ordered: boolean
  #ended: StorageError | undefined
  readonly #pending = new Slots<(error: StorageError) => void>()
  #window = SSH2_WINDOW
  #heard = performance.now()
  #batching = false
  #later: (() => void)[] = []
  #laterTimer: NodeJS.Timeout | undefined
  #moreChannels: boolean
  readonly #handles: Handles
  readonly #internals: SftpInternals

  constructor(
    readonly sftp: SFTPWrapper,
    readonly socket: Socket,
    private readonly way: RoundTrip,
  ) {
    this.#internals = sftp as unknown as SftpInternals
    // 255 KiB is what OpenSSH takes; ssh2 itself takes no packet above 256 KiB.
    this.maxRead = Math.min(this.#internals._maxReadLen, LARGEST_READ)
    this.maxWrite = Math.min(this.#internals._maxWriteLen, 255 * 1024)
    this.ordered = ORDERED.test(this.#internals._client._remoteVer ?? '')
    this.readdirDepth = this.ordered ? 4 : 1
    this.#moreChannels = PLAIN_FILES.test(this.#internals._client._remoteVer ?? '')
    this.#handles = new Handles(sftp)
    takeReadAnswers(sftp as unknown as SftpParser)
    SocketBuffer.of(socket)?.reuse(this.#internals._protocol)
    freeWhatLeft(socket)
    const lost = (error?: Error) => this.end(connectionLost(error))
    sftp.on('error', lost)
    sftp.on('end', () => lost())
    sftp.on('close', () => lost())
    socket.on('error', lost)
    socket.on('close', () => lost())
  }

  get open(): boolean {
    return this.#ended === undefined
  }

  /** Why the session ended. */
  get ended(): StorageError | undefined {
    return this.#ended
  }

  /** Whether the server offers `extension` in the version that ssh2 speaks. */
  offers(extension: string, version = '1'): boolean {
    return this.#internals._extensions[extension] === version
  }

  /** The handle that a file opened next will likely have; undefined where the server gives no ground for it. */
  expectHandle(): Buffer | undefined {
    if (!this.ordered || this.#ended) return undefined
    this.#batch()
    // A CLOSE among them comes before the OPEN.
    this.#sendLater()
    return this.#handles.expected
  }

  /** Milliseconds since the server answered something. */
  get silence(): number {
    return performance.now() - this.#heard
  }

  /** The shortest time in which the server answered so far, also on other connections, ms; Infinity before the first measurement. */
  get roundTrip(): number {
    return this.way.shortest
  }

  answeredIn(milliseconds: number): void {
    this.way.shortest = Math.min(this.way.shortest, milliseconds)
  }

  /**
   * Lets the server have `bytes` of answers under way from now on. It sends no more than it was asked for; at a distance
   * the 2 MiB of ssh2 would hold it up.
   */
  widenWindow(bytes: number): void {
    this.#window = Math.max(this.#window, bytes)
    this.refillWindow()
  }

  /** To be called as answers come in: ssh2 itself refills a window only when it is down to 1 MiB, and to 2. */
  refillWindow(): void {
    const { incoming, outgoing, _protocol } = this.#internals
    const missing = this.#window - incoming.window
    if (this.#window === SSH2_WINDOW || missing < SSH2_WINDOW || outgoing.state !== 'open') return
    incoming.window += missing
    _protocol.channelWindowAdjust(outgoing.id, missing)
  }

  /** Whether one more channel may be asked for, to write to the same file with. */
  get moreChannels(): boolean {
    return this.#moreChannels && this.open
  }

  /**
   * One more SFTP channel of the same connection, which ends with it; undefined where the server grants none. Requests on it
   * go through `submit`. It is `end`ed by whoever asked for it; when it ends otherwise, so does the session.
   */
  openChannel(): Promise<Channel | undefined> {
    return new Promise((resolve) => {
      if (!this.moreChannels) {
        resolve(undefined)
        return
      }
      this.#internals._client.sftp((error, sftp) => {
        if (error) {
          this.#moreChannels = false
          resolve(undefined)
          return
        }
        let ended = false
        const lost = (cause?: Error) => {
          if (!ended) this.end(connectionLost(cause))
        }
        sftp.on('error', lost)
        sftp.on('end', () => lost())
        sftp.on('close', () => lost())
        const end = () => {
          ended = true
          sftp.end()
        }
        resolve({ sftp, end })
      })
    })
  }

  /** Ends the session at once; every request under way rejects with `reason`. */
  end(reason: StorageError): void {
    if (this.#ended) return
    this.#ended = reason
    this.socket.destroy()
    for (const reject of [...this.#pending]) reject(reason)
  }

  /**
   * Sends one request.
   * @throws SftpStatusError when the server answers with a status, the session's end as a StorageError otherwise
   */
  request<T = void>(send: (answer: Answer<T>) => void): Promise<T> {
    const asked = performance.now()
    return new Promise((resolve, reject) => {
      this.submit(send, (error, value) => {
        if (error) reject(error)
        else {
          this.answeredIn(performance.now() - asked)
          resolve(value as T)
        }
      })
    })
  }

  /** As `request`, with a callback: for transfers, where a promise per request costs. */
  submit<T>(send: (answer: Answer<T>) => void, done: (error: Error | undefined, value: T | undefined) => void): void {
    if (this.#ended) {
      done(this.#ended, undefined)
      return
    }
    let settled = false
    const slot = this.#pending.add((reason) => {
      if (settled) return
      settled = true
      done(reason, undefined)
    })
    const answer: Answer<T> = (error, value) => {
      if (settled) return
      settled = true
      this.#pending.remove(slot)
      this.#heard = performance.now()
      if (!error) {
        // Handles are parts of what the socket read, whose buffer is used again.
        done(undefined, Buffer.isBuffer(value) ? (Buffer.from(value) as T) : value)
        return
      }
      const status = 'code' in error ? error.code : undefined
      if (typeof status === 'number') {
        done(new SftpStatusError(status, error.message), undefined)
        return
      }
      const lost = connectionLost(error)
      this.end(lost)
      done(lost, undefined)
    }
    this.#batch()
    try {
      send(answer)
    } catch (error) {
      if (settled) return
      settled = true
      this.#pending.remove(slot)
      done(error instanceof Error ? error : new Error(String(error)), undefined)
    }
  }

  /** As `submit`, for what nobody waits for: it leaves with the next request, or after a moment. */
  submitSoon<T>(send: (answer: Answer<T>) => void, done: (error: Error | undefined) => void): void {
    this.#later.push(() => this.submit(send, done))
    this.#laterTimer ??= setTimeout(() => this.#sendLater(), SOON)
  }

  #sendLater(): void {
    clearTimeout(this.#laterTimer)
    this.#laterTimer = undefined
    for (const send of this.#later.splice(0)) send()
  }

  /** What is sent in one turn of the event loop leaves in one piece: a packet alone costs a system call and a wake-up. */
  #batch(): void {
    if (this.#batching) return
    this.#batching = true
    this.socket.cork()
    this.#sendLater()
    process.nextTick(() => {
      this.#batching = false
      this.socket.uncork()
    })
  }

  /**
   * Runs `body`, the requests of one operation, under one deadline that ends the session. An abort rejects at once; what
   * is under way is still answered under the deadline, so that the session stays in step.
   */
  operate<T>(milliseconds: number, options: OperationOptions | undefined, body: () => Promise<T>): Promise<T> {
    const signal = options?.signal
    if (signal?.aborted) return Promise.reject(abortedBy(signal, true))
    if (this.#ended) return Promise.reject(this.#ended)
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.end(timedOut(milliseconds)), milliseconds)
      const onAbort = () => reject(abortedBy(signal, true))
      signal?.addEventListener('abort', onAbort, { once: true })
      void body()
        .then(resolve, reject)
        .finally(() => {
          clearTimeout(timer)
          signal?.removeEventListener('abort', onAbort)
        })
    })
  }

  /** A deadline for waits in which the server is the one to act. Starts disarmed. */
  watch(): StallWatch {
    return new StallWatch(this)
  }
}

/** Ends the session when a wait passes its time with no bytes moving. */
export class StallWatch {
  #timer: NodeJS.Timeout | undefined
  #moved = 0
  #milliseconds = 0

  constructor(private readonly session: SftpSession) {}

  /** Starts the wait; a running one goes on as it is. */
  arm(milliseconds: number): void {
    if (this.#timer) return
    this.#milliseconds = milliseconds
    this.#start()
  }

  /** Something came: a running wait starts anew. */
  progress(milliseconds = this.#milliseconds): void {
    if (!this.#timer) return
    if (milliseconds === this.#milliseconds) this.#timer.refresh()
    else {
      this.disarm()
      this.arm(milliseconds)
    }
  }

  disarm(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #start(): void {
    this.#moved = this.#bytes()
    this.#timer = setTimeout(() => {
      // A large answer on a slow line takes longer than the deadline, and its bytes count.
      if (this.#bytes() - this.#moved >= PROGRESS) this.#start()
      else this.session.end(timedOut(this.#milliseconds))
    }, this.#milliseconds)
  }

  #bytes(): number {
    const { bytesRead, bytesWritten, writableLength } = this.session.socket
    return bytesRead + bytesWritten - writableLength
  }
}
