import type { Stats } from 'ssh2'
import type { Deadlines, WriteOptions } from '../driver.js'
import { isStorageError } from '../errors.js'
import { nameOf } from '../remote-path.js'
import { toEntry, typeOf } from './sftp-attributes.js'
import { explainCreate, explainWrite } from './sftp-diagnosis.js'
import { abortedBy, isStatus, timedOut } from './sftp-errors.js'
import { headroom } from './headroom.js'
import { type Lane, openLane } from './sftp-lane.js'
import type { Answer, SftpSession } from './sftp-session.js'
import { Wakeup } from './wakeup.js'
import { sendWrite } from './write-request.js'

/** Bytes sent and not yet confirmed by one channel, and so about the most that one write holds in memory, near by. */
const WRITE_BEHIND = 2 * 1024 * 1024
const MAX_REQUESTS = 64
/**
 * Far away, the server's window for one channel (2 MiB with OpenSSH) holds an upload up: what is large is written by several
 * channels. Milliseconds of round trip, bytes after which, and how many besides the first.
 */
const FAR = 3
const LARGE = 4 * 1024 * 1024
const MORE_LANES = 3
/** Smaller chunks of the source are gathered into large writes: a request costs more than a copy (measured: half the CPU). */
const GATHER_BELOW = 128 * 1024
/**
 * A connection that was silent for longer may be gone without a word: its OPEN is answered before anything is taken of the
 * source, so that the upload can still go by another. Milliseconds.
 */
const SILENT = 1_000
/** How long a failed write waits for the answers under way before it gives the connection up. Milliseconds. */
const DRAIN = 5_000

/**
 * Stores a source in a file with many requests under way; resolves once every write and the close are confirmed. What is
 * small and announced leaves in one piece, OPEN and all, where the handle can be told before it comes.
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
  return new Write(session, path, source, options, deadlines).run()
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
  #opened = false
  #closed = false
  #found: Stats | undefined
  #lanes: Lane[] = []
  /** Bytes of memory for further lanes; undefined before they are thought of. */
  #granted: number | undefined

  constructor(
    private readonly session: SftpSession,
    private readonly path: string,
    private readonly source: AsyncIterable<Uint8Array>,
    private readonly options: WriteOptions,
    private readonly deadlines: Deadlines,
  ) {
    this.#watch = session.watch()
    this.#depth = Math.min(MAX_REQUESTS, Math.max(2, Math.floor(WRITE_BEHIND / session.maxWrite)))
  }

  async run(): Promise<number> {
    const onAbort = () => {
      this.#aborted = true
      this.#wakeup.wake()
    }
    this.options.signal?.addEventListener('abort', onAbort, { once: true })
    if (this.options.signal?.aborted) onAbort()
    try {
      if (!this.#fitsInOne()) await this.#open()
      await this.#drainSource()
      await this.#finish()
      return this.#position
    } catch (error) {
      await this.#giveUp()
      if (isStorageError(error, 'ABORTED') && !this.session.open) throw abortedBy(this.options.signal, false)
      if (!isStatus(error)) throw error
      this.#watch.arm(this.deadlines.metadata)
      if (this.#opened) throw await explainWrite(this.session, this.path, error)
      throw await explainCreate(this.session, this.path, this.options.exclusive ?? false, error)
    } finally {
      this.options.signal?.removeEventListener('abort', onAbort)
      this.#watch.disarm()
      headroom.give(this.#granted ?? 0)
      if (this.session.open) for (const { end } of this.#lanes) end()
    }
  }

  #fitsInOne(): boolean {
    const { maxWrite, silence } = this.session
    return (this.options.size ?? Infinity) <= maxWrite && silence < SILENT && this.session.expectHandle() !== undefined
  }

  async #open(): Promise<void> {
    this.#watch.arm(this.deadlines.firstByte)
    const handle = await this.session.request<Buffer>((answer) => this.#sendOpen(answer))
    this.#watch.disarm()
    this.#opened = true
    this.#lanes = [this.#laneOf(handle)]
  }

  #sendOpen(answer: Answer<Buffer>): void {
    const { exclusive = false, mode } = this.options
    this.session.sftp.open(this.path, exclusive ? 'wx' : 'w', mode === undefined ? {} : { mode }, answer)
  }

  #laneOf(handle: Buffer): Lane {
    return { sftp: this.session.sftp, handle, end: () => undefined, underWay: 0 }
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
      const expected = this.#opened ? undefined : this.session.expectHandle()
      if (expected) this.#storeAtOnce(expected)
      else await this.#flush()
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
    if (this.#aborted) throw abortedBy(this.options.signal, true)
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
    const { maxWrite } = this.session
    if (this.#gathered && this.#gatheredLength + small.length > this.#gathered.length) {
      await this.#flush()
      // More came than was announced.
      if (this.#gathered.length < maxWrite) this.#gathered = undefined
    }
    const announced = this.#position === 0 ? (this.options.size ?? maxWrite) : maxWrite
    this.#gathered ??= Buffer.allocUnsafe(Math.min(maxWrite, Math.max(announced, small.length)))
    small.copy(this.#gathered, this.#gatheredLength)
    this.#gatheredLength += small.length
  }

  async #flush(): Promise<void> {
    if (!this.#opened) await this.#open()
    const length = this.#gatheredLength
    if (length === 0 || !this.#gathered) return
    this.#gatheredLength = 0
    await this.#send(this.#gathered, 0, length)
  }

  /** OPEN, WRITE, CLOSE and a look leave together; the last three once more should OPEN give another handle than `expected`. */
  #storeAtOnce(expected: Buffer): void {
    const opening = this.#laneOf(expected)
    this.#watch.arm(this.deadlines.firstByte)
    this.#submit<Buffer>(
      opening,
      (answer) => this.#sendOpen(answer),
      (handle) => {
        this.#opened = true
        if (!expected.equals(handle)) this.#storeGathered(this.#laneOf(handle))
      },
    )
    this.#storeGathered(opening)
  }

  #storeGathered(lane: Lane): void {
    this.#lanes = [lane]
    this.#closed = false
    const data = this.#gathered?.subarray(0, this.#gatheredLength)
    this.#position = data?.length ?? 0
    if (data?.length)
      this.#submit(lane, (answer) => sendWrite(lane.sftp, { handle: lane.handle, data, position: 0 }, answer))
    this.#end()
  }

  /** Sends one write, once there is room for it. The bytes are copied before it returns. */
  async #send(buffer: Buffer, offset: number, length: number): Promise<void> {
    let lane = this.#freeLane()
    while (lane.underWay >= this.#depth) {
      this.#check()
      await this.#wakeup.wait()
      lane = this.#freeLane()
    }
    this.#check()
    const { sftp, handle } = lane
    const position = this.#position
    this.#position += length
    const data = buffer.subarray(offset, offset + length)
    this.#submit(lane, (answer) => sendWrite(sftp, { handle, data, position }, answer))
    if (this.#granted === undefined && this.#position >= LARGE) this.#openLanes()
  }

  #freeLane(): Lane {
    return this.#lanes.reduce((best, lane) => (lane.underWay < best.underWay ? lane : best))
  }

  /** Writes go on meanwhile, and by whatever lanes there are. */
  #openLanes(): void {
    const { session } = this
    this.#granted = 0
    if (session.roundTrip < FAR || !session.moreChannels) return
    this.#granted = headroom.take(MORE_LANES * WRITE_BEHIND)
    for (let more = Math.floor(this.#granted / WRITE_BEHIND); more > 0; more--) {
      void openLane(session, this.path).then((lane) => {
        if (lane === undefined) return
        if (!this.#closed) {
          this.#lanes.push(lane)
          this.#wakeup.wake()
        } else if (session.open) lane.end()
      })
    }
  }

  #submit<T = void>(lane: Lane, send: (answer: Answer<T>) => void, done?: (value: T) => void): void {
    this.#underWay++
    lane.underWay++
    this.#watch.arm(this.deadlines.stall)
    this.session.submit<T>(send, (error, value) => {
      if (!error) done?.(value as T)
      else if (this.#lanes.includes(lane)) this.#failure ??= { error }
      this.#answered(lane)
    })
  }

  #answered(lane: Lane): void {
    lane.underWay--
    this.#underWay--
    // While nothing is under way, the source is the one to act.
    if (this.#underWay === 0) this.#watch.disarm()
    else this.#watch.progress()
    this.#wakeup.wake()
  }

  async #finish(): Promise<void> {
    this.#end()
    while (this.#underWay > 0) {
      if (this.#aborted) this.#check()
      await this.#wakeup.wait()
    }
    if (this.#failure) throw this.#failure.error
    // A size that is another one is for `stat` to find again, after everything was confirmed.
    if (this.#found?.size === this.#position) this.options.onStored?.(toEntry(nameOf(this.path), this.#found, false))
  }

  /** CLOSE follows the last write of each lane at once, and a look where the server keeps their order; the server answers all. */
  #end(): void {
    if (this.#closed) return
    this.#close()
    const [lane, ...more] = this.#lanes
    if (lane && this.options.onStored && this.session.ordered && more.length === 0) this.#look(lane)
  }

  #look(lane: Lane): void {
    this.#underWay++
    lane.underWay++
    this.session.submit<Stats>(
      (answer) => this.session.sftp.lstat(this.path, answer),
      (error, stats) => {
        if (error && !isStatus(error)) this.#failure ??= { error }
        if (stats && typeOf(stats) === 'file') this.#found = stats
        this.#answered(lane)
      },
    )
  }

  #close(): void {
    if (this.#closed) return
    this.#closed = true
    for (const lane of this.#lanes) this.#submit(lane, (answer) => lane.sftp.close(lane.handle, answer))
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
