import type { Stats } from 'ssh2'
import type { Deadlines, WriteOptions } from '../driver.js'
import { isStorageError } from '../errors.js'
import { nameOf } from '../remote-path.js'
import { toEntry, typeOf } from './sftp-attributes.js'
import { explainCreate, explainWrite } from './sftp-diagnosis.js'
import { abortedBy, isStatus, timedOut } from './sftp-errors.js'
import type { SftpSession } from './sftp-session.js'
import { Wakeup } from './wakeup.js'

/** Bytes sent and not yet confirmed, and so about the most that one write holds in memory. */
const WRITE_BEHIND = 2 * 1024 * 1024
const MAX_REQUESTS = 64
/** Smaller chunks of the source are gathered into large writes: a request costs more than a copy (measured: half the CPU). */
const GATHER_BELOW = 128 * 1024
/** How long a failed write waits for the answers under way before it gives the connection up. Milliseconds. */
const DRAIN = 5_000

/**
 * Stores a source in a file with many requests under way; resolves once every write and the close are confirmed.
 * @returns bytes stored
 * @throws NOT_FOUND, DENIED, ALREADY_EXISTS (`exclusive`), IS_A_DIRECTORY, NO_SPACE; an error of the source as it is
 */
export async function writeFile(
  session: SftpSession,
  path: string,
  source: AsyncIterable<Uint8Array>,
  options: WriteOptions,
  deadlines: Deadlines,
): Promise<number> {
  if (options.signal?.aborted) throw abortedBy(options.signal, true)
  const handle = await openForWriting(session, path, options, deadlines)
  return new Write(session, path, handle, source, options, deadlines).run()
}

async function openForWriting(
  session: SftpSession,
  path: string,
  options: WriteOptions,
  deadlines: Deadlines,
): Promise<Buffer> {
  const { sftp } = session
  const { exclusive = false, mode } = options
  const watch = session.watch()
  watch.arm(deadlines.firstByte)
  try {
    return await session.request<Buffer>((answer) =>
      sftp.open(path, exclusive ? 'wx' : 'w', mode === undefined ? {} : { mode }, answer),
    )
  } catch (error) {
    throw await explainCreate(session, path, exclusive, error)
  } finally {
    watch.disarm()
  }
}

type Next = { readonly value: Uint8Array } | 'end'

class Write {
  readonly #wakeup = new Wakeup()
  readonly #watch
  readonly #depth: number
  #position = 0
  #underWay = 0
  #failure: { readonly error: unknown } | undefined
  #aborted = false
  #next: Next | undefined
  #gathered: Buffer | undefined
  #gatheredLength = 0
  #closed = false
  #found: Stats | undefined
  private readonly signal: AbortSignal | undefined
  readonly #onStored: WriteOptions['onStored']

  constructor(
    private readonly session: SftpSession,
    private readonly path: string,
    private readonly handle: Buffer,
    private readonly source: AsyncIterable<Uint8Array>,
    options: WriteOptions,
    private readonly deadlines: Deadlines,
  ) {
    this.signal = options.signal
    this.#onStored = options.onStored
    this.#watch = session.watch()
    this.#depth = Math.min(MAX_REQUESTS, Math.max(2, Math.floor(WRITE_BEHIND / session.maxWrite)))
  }

  async run(): Promise<number> {
    const onAbort = () => {
      this.#aborted = true
      this.#wakeup.wake()
    }
    this.signal?.addEventListener('abort', onAbort, { once: true })
    if (this.signal?.aborted) onAbort()
    try {
      await this.#drainSource()
      await this.#finish()
      return this.#position
    } catch (error) {
      await this.#giveUp()
      if (isStorageError(error, 'ABORTED') && !this.session.open) throw abortedBy(this.signal, false)
      if (!isStatus(error)) throw error
      this.#watch.arm(this.deadlines.metadata)
      throw await explainWrite(this.session, this.path, error)
    } finally {
      this.signal?.removeEventListener('abort', onAbort)
      this.#watch.disarm()
    }
  }

  async #drainSource(): Promise<void> {
    const iterator = this.source[Symbol.asyncIterator]()
    let ended = false
    try {
      for (;;) {
        const next = await this.#pull(iterator)
        if (next === 'end') break
        await this.#put(next.value)
      }
      ended = true
      await this.#flush()
    } finally {
      // Not awaited: a source that waits for a client that is gone may never answer. Its error is not the one to tell.
      if (!ended) iterator.return?.().catch(() => undefined)
    }
  }

  async #pull(iterator: AsyncIterator<Uint8Array>): Promise<Next> {
    iterator.next().then(
      (result) => {
        this.#next = result.done ? 'end' : { value: result.value }
        this.#wakeup.wake()
      },
      (error: unknown) => {
        this.#failure ??= { error }
        this.#wakeup.wake()
      },
    )
    for (;;) {
      this.#check()
      const next = this.#next
      if (next) {
        this.#next = undefined
        return next
      }
      await this.#wakeup.wait()
    }
  }

  #check(): void {
    if (this.#failure) throw this.#failure.error
    if (this.#aborted) throw abortedBy(this.signal, true)
  }

  async #put(chunk: Uint8Array): Promise<void> {
    const buffer = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    if (buffer.length < Math.min(GATHER_BELOW, this.session.maxWrite)) {
      await this.#gather(buffer)
      return
    }
    await this.#flush()
    for (let offset = 0; offset < buffer.length; offset += this.session.maxWrite) {
      await this.#send(buffer, offset, Math.min(this.session.maxWrite, buffer.length - offset))
    }
  }

  async #gather(small: Buffer): Promise<void> {
    const room = this.session.maxWrite
    if (this.#gatheredLength + small.length > room) await this.#flush()
    this.#gathered ??= Buffer.allocUnsafe(room)
    small.copy(this.#gathered, this.#gatheredLength)
    this.#gatheredLength += small.length
  }

  async #flush(): Promise<void> {
    const length = this.#gatheredLength
    if (length === 0 || !this.#gathered) return
    this.#gatheredLength = 0
    await this.#send(this.#gathered, 0, length)
  }

  /** Sends one write, once there is room for it. ssh2 copies the bytes before it returns. */
  async #send(buffer: Buffer, offset: number, length: number): Promise<void> {
    while (this.#underWay >= this.#depth) {
      this.#check()
      await this.#wakeup.wait()
    }
    this.#check()
    const position = this.#position
    this.#position += length
    this.#submit((answer) => this.session.sftp.write(this.handle, buffer, offset, length, position, answer))
  }

  #submit(send: (answer: (error: Error | null | undefined) => void) => void): void {
    this.#underWay++
    this.#watch.arm(this.deadlines.stall)
    this.session.submit<void>(send, (error) => {
      if (error) this.#failure ??= { error }
      this.#answered()
    })
  }

  #answered(): void {
    this.#underWay--
    // While nothing is under way, the source is the one to act.
    if (this.#underWay === 0) this.#watch.disarm()
    else this.#watch.progress()
    this.#wakeup.wake()
  }

  /** CLOSE follows the last write at once, and a look where the server keeps their order; the server answers all. */
  async #finish(): Promise<void> {
    this.#close()
    if (this.#onStored && this.session.ordered) this.#look()
    while (this.#underWay > 0) {
      if (this.#aborted) this.#check()
      await this.#wakeup.wait()
    }
    if (this.#failure) throw this.#failure.error
    // A size that is another one is for `stat` to find again, after everything was confirmed.
    if (this.#found?.size === this.#position) this.#onStored?.(toEntry(nameOf(this.path), this.#found, false))
  }

  #look(): void {
    this.#underWay++
    this.session.submit<Stats>(
      (answer) => this.session.sftp.lstat(this.path, answer),
      (error, stats) => {
        if (error && !isStatus(error)) this.#failure ??= { error }
        if (stats && typeOf(stats) === 'file') this.#found = stats
        this.#answered()
      },
    )
  }

  #close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#submit((answer) => this.session.sftp.close(this.handle, answer))
  }

  /** Closes the handle and waits until nothing is under way: then nothing more will be written to the file. */
  async #giveUp(): Promise<void> {
    if (!this.session.open) return
    this.#close()
    const timer = setTimeout(() => this.session.end(timedOut(DRAIN)), DRAIN)
    try {
      while (this.#underWay > 0) await this.#wakeup.wait()
    } finally {
      clearTimeout(timer)
    }
  }
}
