import { isStorageError, StorageError } from '../errors.js'
import { free } from '../spent-bytes.js'
import type { Reply } from './control-channel.js'
import type { DataConnection } from './data-connection.js'
import { Lapsed, saysNoData } from './data-connections.js'
import { aborted, timedOut, within, type Session } from './session.js'
import { backInStep, lateReply } from './settle.js'
import { Watchdog } from './watchdog.js'

export interface Upload {
  /** `STOR …` */
  readonly command: string
  readonly source: AsyncIterable<Uint8Array>
  readonly signal?: AbortSignal | undefined
}

export interface Uploaded {
  /** Bytes sent. */
  readonly bytes: number
  /** The final reply; one of 400 and more is the caller's to translate. */
  readonly reply: Reply
}

/**
 * One transfer to the server, which is done when the server says so and not before: what went wrong is told by the reply, as
 * the data connection only breaks. The time a source takes counts for nothing. When the source throws or the signal fires,
 * the data connection is dropped, the connection is brought back in step or ended, and that error is thrown.
 */
export async function upload(session: Session, job: Upload): Promise<Uploaded> {
  const uploaded = await session.data.anew(async () => {
    const { data, prepared } = await within(session, session.deadlines.firstByte, job, () => session.data.open())
    return new Sender(session, job, data, prepared).run()
  })
  if (uploaded.reply.code < 300) session.data.prepare()
  return uploaded
}

type Outcome<T> = { readonly value: T } | 'interrupted'

class Sender {
  readonly #watchdog: Watchdog
  /** The server said that the transfer begins. */
  #begun = false
  #replied!: Promise<Reply>
  #reply: Reply | undefined
  /** Why the control connection is gone. */
  #lost: unknown
  /** Why the data connection is gone. */
  #broken: Error | undefined
  #sent = 0
  /** The chunk that was written last has left. */
  #onLeft: (() => void) | undefined
  /** What waits for the next of: a reply, the end of either connection, the signal. */
  #onInterrupt: (() => void) | undefined

  constructor(
    private readonly session: Session,
    private readonly job: Upload,
    private readonly data: DataConnection,
    private readonly prepared: boolean,
  ) {
    const { channel, deadlines } = session
    this.#watchdog = new Watchdog(() => channel.end(timedOut(deadlines.stall)))
  }

  async run(): Promise<Uploaded> {
    const { session, job } = this
    const { socket } = this.data
    const interrupt = () => this.#onInterrupt?.()
    job.signal?.addEventListener('abort', interrupt)
    const onBroken = (error: Error) => {
      this.#broken ??= error
      interrupt()
    }
    socket.once('error', onBroken)
    socket.once('close', () => {
      if (!socket.writableFinished) onBroken(new Error('The data connection was closed.'))
    })
    socket.resume()
    try {
      this.#watchdog.expect(session.deadlines.firstByte)
      const begun = new Promise<void>((resolve) => {
        this.#replied = session.channel.transfer(job.command, () => {
          this.#begun = true
          resolve()
        })
      })
      this.#replied.then(
        (reply) => {
          this.#reply = reply
          interrupt()
        },
        (error: unknown) => {
          this.#lost = error
          interrupt()
        },
      )
      if ((await this.#race(begun)) !== 'interrupted') await this.#pump()
      return await this.#confirmed()
    } finally {
      this.#watchdog.rest()
      job.signal?.removeEventListener('abort', interrupt)
      this.data.reader.destroy()
    }
  }

  /** Sends the source, one chunk after the other has left: a source may use its buffer again when it is asked for more. */
  async #pump(): Promise<void> {
    const { session, job } = this
    const { socket, ready } = this.data
    try {
      if ((await this.#race(ready)) === 'interrupted') return
    } catch (error) {
      if (!isStorageError(error, 'UNTRUSTED')) return
      await this.#drop()
      throw error
    }
    const iterator = job.source[Symbol.asyncIterator]()
    const onWritten = (error?: Error | null) => {
      if (error) this.#broken ??= error
      this.#onLeft?.()
    }
    this.#watchdog.rest()
    for (;;) {
      const next = await this.#pull(iterator)
      if (next === 'interrupted') break
      if (next.value.done) {
        socket.end()
        return
      }
      const chunk = next.value.value
      if (chunk.length === 0) continue
      this.#sent += chunk.length
      socket.write(chunk, onWritten)
      if (socket.writableLength > 0) {
        this.#watchdog.expect(session.deadlines.stall)
        if ((await this.#race(new Promise<void>((resolve) => (this.#onLeft = resolve)))) === 'interrupted') break
        this.#watchdog.rest()
      }
      free(chunk)
    }
    // Not awaited: a source that hangs would hang this too.
    iterator.return?.().catch(() => undefined)
  }

  async #pull(iterator: AsyncIterator<Uint8Array>): Promise<Outcome<IteratorResult<Uint8Array>>> {
    try {
      return await this.#race(iterator.next())
    } catch (error) {
      await this.#drop()
      throw error
    }
  }

  async #confirmed(): Promise<Uploaded> {
    const { session, job } = this
    while (this.#reply === undefined) {
      if (this.#lost !== undefined) throw this.#lost as Error
      if (job.signal?.aborted) throw aborted(job.signal, await this.#drop())
      if (this.#broken === undefined) {
        this.#watchdog.expect(Math.max(session.deadlines.firstByte, session.deadlines.stall))
        await new Promise<void>((resolve) => (this.#onInterrupt = resolve))
      } else {
        this.#reply = await lateReply(session, this.#replied)
      }
    }
    if (this.prepared && !this.#begun && saysNoData(this.#reply)) throw new Lapsed()
    // Once everything has left, what becomes of the data connection is no news: proftpd answers the quick end of an empty
    // file with a TLS alert and 226.
    if (this.#reply.code < 400 && !this.data.socket.writableEnded) {
      throw new StorageError('PROTOCOL', 'The server ended the transfer before it had everything.', {
        cause: this.#broken,
        inStep: true,
      })
    }
    return { bytes: this.#sent, reply: this.#reply }
  }

  async #drop(): Promise<boolean> {
    this.#watchdog.rest()
    this.data.reader.destroy()
    return backInStep(this.session, this.#replied)
  }

  /** Waits for `work`, unless the transfer is over before. */
  #race<T>(work: Promise<T>): Promise<Outcome<T>> {
    return new Promise((resolve, reject) => {
      this.#onInterrupt = () => resolve('interrupted')
      const over = this.#reply !== undefined || this.#lost !== undefined || this.#broken !== undefined
      if (over || this.job.signal?.aborted) this.#onInterrupt()
      work.then((value) => resolve({ value }), reject)
    })
  }
}
