import type { ByteSink } from '../driver.js'
import { isStorageError, StorageError } from '../errors.js'
import type { Reply } from './control-channel.js'
import type { DataConnection } from './data-connection.js'
import { Lapsed, saysNoData } from './data-connections.js'
import type { DataReader } from './data-reader.js'
import { aborted, timedOut, within, type Session } from './session.js'
import { backInStep, lateReply } from './settle.js'
import { Watchdog } from './watchdog.js'

export interface Download {
  /** `RETR …`, `MLSD`, `LIST`. */
  readonly command: string
  /** Bytes to skip, by REST. */
  readonly offset?: number | undefined
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
 * One transfer from the server. The time a sink takes counts for nothing; the server must begin within `firstByte` and go on
 * within `stall`, else TIMED_OUT. When the sink throws or the signal fires, the data connection is dropped, the connection
 * is brought back in step or ended, and that error is thrown.
 */
export async function download(session: Session, job: Download): Promise<Downloaded> {
  const { channel, deadlines } = session
  const downloaded = await session.data.anew(async () => {
    const { data, prepared } = await within(channel, deadlines.firstByte, job, async () => {
      const opened = await session.data.open()
      if (job.offset === undefined || job.offset === 0) return opened
      try {
        const rest = await channel.command(`REST ${job.offset}`)
        if (rest.code === 350) return opened
        throw new StorageError('UNSUPPORTED', 'The server cannot send a part of a file.', { inStep: true })
      } catch (error) {
        opened.data.reader.destroy()
        throw error
      }
    })
    return new Receiver(session, job, data, prepared).run()
  })
  if (downloaded.reply !== undefined && downloaded.reply.code < 300) session.data.prepare()
  return downloaded
}

class Receiver {
  readonly #watchdog: Watchdog
  readonly #reader: DataReader
  /** The server said that the transfer begins. */
  #begun = false
  #announced: number | undefined
  #reply: Reply | undefined
  #given = 0
  /** The data connection leads to somebody else. */
  #untrusted: StorageError | undefined
  #stopped = false
  #onStop: (() => void) | undefined

  constructor(
    private readonly session: Session,
    private readonly job: Download,
    private readonly data: DataConnection,
    private readonly prepared: boolean,
  ) {
    const { channel, deadlines } = session
    this.#reader = data.reader
    this.#watchdog = new Watchdog(() =>
      channel.end(timedOut(this.#given === 0 ? deadlines.firstByte : deadlines.stall)),
    )
  }

  async run(): Promise<Downloaded> {
    const { session, job } = this
    const reader = this.#reader
    const { ready } = this.data
    const { ended } = session.channel
    const stop = () => {
      this.#stopped = true
      this.#onStop?.()
      reader.wake()
    }
    job.signal?.addEventListener('abort', stop)
    ended.addEventListener('abort', stop)
    if (job.signal?.aborted || ended.aborted) stop()
    this.#watchdog.expect(session.deadlines.firstByte)
    const replied = session.channel.transfer(job.command, ({ text }) => {
      this.#begun = true
      const size = /\((\d+) bytes?\)/.exec(text)?.[1]
      if (size !== undefined) this.#announced = Number(size)
    })
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
    try {
      if (await this.#receive(ready)) return { bytes: this.#given, reply: await this.#confirmed(replied) }
      await this.#drop(replied)
      return { bytes: this.#given, reply: undefined }
    } catch (error) {
      const lost = ended.aborted
      const inStep = await this.#drop(replied)
      if (!(error instanceof Stopped)) throw error
      throw lost && !job.signal?.aborted ? (ended.reason as StorageError) : aborted(job.signal, inStep)
    } finally {
      this.#watchdog.rest()
      job.signal?.removeEventListener('abort', stop)
      ended.removeEventListener('abort', stop)
      reader.destroy()
    }
  }

  /** @returns true at the end of the data, false when enough came before it */
  async #receive(ready: Promise<void>): Promise<boolean> {
    const { job, session } = this
    const reader = this.#reader
    const wanted = job.length ?? Infinity
    let tail = 0
    for (;;) {
      if (this.#stopped) throw new Stopped()
      if (this.#untrusted) throw this.#untrusted
      const chunk = reader.take()
      if (chunk) {
        if (this.#given === 0) await ready
        const due = Math.min(chunk.length, wanted - this.#given)
        if (due > 0) {
          this.#watchdog.rest()
          const taken = job.sink(chunk.buffer.subarray(0, due))
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
  async #confirmed(replied: Promise<Reply>): Promise<Reply> {
    const { session, job } = this
    const broken = this.#reader.error
    if (this.#reply === undefined) this.#watchdog.expect(session.deadlines.stall)
    const reply = broken === undefined ? await replied : await lateReply(session, replied)
    if (this.prepared && !this.#begun && saysNoData(reply)) {
      this.#watchdog.expect(session.deadlines.stall)
      // Whether RETR forgot the offset is not said anywhere; a STOR must not find it.
      if ((job.offset ?? 0) > 0) await session.channel.command('REST 0')
      throw new Lapsed()
    }
    // vsftpd says 426 when it notices that the data connection is gone, others 451: neither is about the file.
    const about = broken === undefined || reply.code >= 500
    if (reply.code >= 400 && about) return reply
    if (broken !== undefined) {
      throw new StorageError('CONNECTION_LOST', 'The data connection broke.', { cause: broken, inStep: true })
    }
    // Servers announce the whole file or what is left of it after REST; less than the latter is never right.
    const due = Math.min((this.#announced ?? 0) - (job.offset ?? 0), job.length ?? Infinity)
    if (this.#given < due) {
      throw new StorageError('PROTOCOL', `The server sent ${this.#given} of ${due} bytes.`, { inStep: true })
    }
    return reply
  }

  async #drop(replied: Promise<Reply>): Promise<boolean> {
    this.#watchdog.rest()
    this.#reader.destroy()
    return backInStep(this.session, replied)
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
