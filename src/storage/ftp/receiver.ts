import type { ByteSink } from '../driver.js'
import { isStorageError, StorageError } from '../errors.js'
import type { Reply } from './control-channel.js'
import type { DataConnection } from './data-connection.js'
import { Lapsed, saysNoData } from './data-connections.js'
import type { DataReader } from './data-reader.js'
import { aborted, timedOut, type Session } from './session.js'
import { backInStep, lateReply } from './settle.js'
import { Watchdog } from './watchdog.js'

/** What the server is asked to send. */
export interface Retrieval {
  /** `RETR …`, `MLSD`, `LIST`. */
  readonly command: string
  /** Bytes to skip, by REST. */
  readonly offset?: number | undefined
}

/** What is wanted of it. */
export interface Wanted {
  /** Bytes wanted; undefined: all. */
  readonly length?: number | undefined
  readonly sink: ByteSink
  readonly signal?: AbortSignal | undefined
}

export interface Downloaded {
  /** Bytes given to the sink. */
  readonly bytes: number
  /** The final reply; one of 400 and more is the caller's to translate. Undefined when `length` was reached before it. */
  readonly reply: Reply | undefined
}

/** A tail up to this long is read and thrown away: cheaper than to cut the transfer and ask where the server stands. */
const TAIL = 256 * 1024

/**
 * Asks for a transfer at once, and takes its bytes when it is told to; until then few enough come to fit into the buffers.
 * Run or dropped.
 */
export class Receiver {
  /** To what was asked before the transfer, REST included. */
  readonly answers: Promise<readonly Reply[]>
  readonly #replied: Promise<Reply>
  readonly #data: DataConnection
  /** The data connection was opened before it was needed. */
  readonly #prepared: boolean
  readonly #offset: number
  readonly #watchdog: Watchdog
  readonly #reader: DataReader
  /** The server said that the transfer begins. */
  #begun = false
  #announced: number | undefined
  #reply: Reply | undefined
  #given = 0
  #length = Infinity
  /** The data connection leads to somebody else. */
  #untrusted: StorageError | undefined
  #stopped = false
  #onStop: (() => void) | undefined

  /** @param before commands that leave in the same packet; only where the server takes several, as REST does then */
  constructor(
    private readonly session: Session,
    { command, offset = 0 }: Retrieval,
    { data, prepared }: { readonly data: DataConnection; readonly prepared: boolean },
    before: readonly string[] = [],
  ) {
    const { channel, deadlines } = session
    this.#data = data
    this.#prepared = prepared
    this.#offset = offset
    this.#reader = data.reader
    this.#watchdog = new Watchdog(() =>
      channel.end(timedOut(this.#given === 0 ? deadlines.firstByte : deadlines.stall)),
    )
    const lines = this.#restTogether ? [...before, `REST ${offset}`] : before
    const { answers, replied } = channel.transferBehind(lines, command, ({ text }) => {
      this.#begun = true
      const size = /\((\d+) bytes?\)/.exec(text)?.[1]
      if (size !== undefined) this.#announced = Number(size)
    })
    this.answers = answers
    this.#replied = replied
    // Who waits for them hears of it, and so does who waits for the reply.
    answers.catch(() => undefined)
    const { reader, ready } = data
    replied.then(
      (reply) => {
        this.#reply = reply
        reader.wake()
      },
      () => reader.wake(),
    )
    ready.catch((error: unknown) => {
      // Any other end of a handshake shows at the socket, and the reply knows its reason.
      if (isStorageError(error, 'UNTRUSTED')) this.#untrusted = error
      reader.wake()
    })
  }

  /** Once. */
  async run({ length, sink, signal }: Wanted): Promise<Downloaded> {
    const { session } = this
    const reader = this.#reader
    const { ended } = session.channel
    if (length !== undefined) this.#length = length
    const stop = () => {
      this.#stopped = true
      this.#onStop?.()
      reader.wake()
    }
    signal?.addEventListener('abort', stop)
    ended.addEventListener('abort', stop)
    if (signal?.aborted || ended.aborted) stop()
    this.#watchdog.expect(session.deadlines.firstByte)
    try {
      if (await this.#receive(sink)) return { bytes: this.#given, reply: await this.#confirmed() }
      await this.drop()
      return { bytes: this.#given, reply: undefined }
    } catch (error) {
      const lost = ended.aborted
      const inStep = await this.drop()
      if (!(error instanceof Stopped)) throw error
      throw lost && !signal?.aborted ? (ended.reason as StorageError) : aborted(signal, inStep)
    } finally {
      this.#watchdog.rest()
      signal?.removeEventListener('abort', stop)
      ended.removeEventListener('abort', stop)
      reader.destroy()
    }
  }

  /** @returns true at the end of the data, false when enough came before it */
  async #receive(sink: ByteSink): Promise<boolean> {
    const { session } = this
    const reader = this.#reader
    const wanted = this.#length
    let tail = 0
    for (;;) {
      if (this.#stopped) throw new Stopped()
      if (this.#untrusted) throw this.#untrusted
      const chunk = reader.take()
      if (chunk) {
        if (this.#given === 0) {
          await this.#data.ready
          if (this.#restTogether) await this.#assertPart()
        }
        const due = Math.min(chunk.length, wanted - this.#given)
        if (due > 0) {
          this.#watchdog.rest()
          const taken = sink(chunk.buffer.subarray(0, due))
          if (taken !== undefined) await this.#unlessStopped(taken)
          this.#given += due
        }
        tail += chunk.length - due
        reader.release(chunk)
        if (tail > TAIL) return false
        this.#watchdog.expect(session.deadlines.stall)
        continue
      }
      if (reader.finished || reader.error !== undefined) return true
      if (this.#reply !== undefined && this.#reply.code >= 400) return true
      await reader.wait()
    }
  }

  /** The data is at its end, for better or worse; the reply says which. */
  async #confirmed(): Promise<Reply> {
    const { session } = this
    const broken = this.#reader.error
    if (this.#reply === undefined) this.#watchdog.expect(session.deadlines.stall)
    const reply = broken === undefined ? await this.#replied : await lateReply(session, this.#replied)
    if (this.#prepared && !this.#begun && saysNoData(reply)) throw new Lapsed()
    // vsftpd says 426 when it notices that the data connection is gone, others 451: neither is about the file.
    const about = broken === undefined || reply.code >= 500
    if (reply.code >= 400 && about) return reply
    if (this.#restTogether) await this.#assertPart()
    if (broken !== undefined) {
      throw new StorageError('CONNECTION_LOST', 'The data connection broke.', { cause: broken, inStep: true })
    }
    // Servers announce the whole file or what is left of it after REST; less than the latter is never right.
    const due = Math.min((this.#announced ?? 0) - this.#offset, this.#length)
    if (this.#given < due) {
      throw new StorageError('PROTOCOL', `The server sent ${this.#given} of ${due} bytes.`, { inStep: true })
    }
    return reply
  }

  /** Gives up what has not come. @returns whether the connection may be used again */
  drop(): Promise<boolean> {
    this.#watchdog.rest()
    this.#reader.destroy()
    // Whether a refused RETR forgot the offset is not said anywhere.
    return backInStep(this.session, this.#replied, () => this.#offset > 0 && !this.#begun)
  }

  get #restTogether(): boolean {
    return this.#offset > 0 && this.session.pipelines
  }

  /** The bytes that come are those from the offset on. */
  async #assertPart(): Promise<void> {
    const rest = (await this.answers).at(-1)
    if (rest?.code === 350) return
    throw new StorageError('UNSUPPORTED', 'The server cannot send a part of a file.', { inStep: true })
  }

  /** A sink may hold a chunk for ever; its buffer is then left to it. */
  #unlessStopped(work: Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#onStop = () => reject(new Stopped())
      if (this.#stopped) this.#onStop()
      work.then(resolve, reject)
    })
  }
}

/** The signal fired or the channel ended. */
class Stopped extends Error {}
