import type { Stats } from 'ssh2'
import type { ByteRange, ByteSink, Deadlines } from '../driver.js'
import { StorageError } from '../errors.js'
import { headroom } from './headroom.js'
import { giveReadBuffer, takeReadBuffer } from './read-buffers.js'
import { typeOf } from './sftp-attributes.js'
import { explainRead } from './sftp-diagnosis.js'
import { abortedBy, answered, isStatus } from './sftp-errors.js'
import type { SftpSession } from './sftp-session.js'
import { Wakeup } from './wakeup.js'

/** Bytes asked for ahead of the sink, and so the most that one read holds in memory; at a distance more, see `FAR`. */
const READ_AHEAD = 2 * 1024 * 1024
/** Bytes asked for ahead for each millisecond of round trip: enough for 1.5 GB/s. */
const PER_MILLISECOND = 1.5 * 1024 * 1024
/** The most that one read asks for ahead. */
const FAR = 16 * 1024 * 1024
const MAX_REQUESTS = 64
/** Requests sent before the size is known; most files end within the first. */
const FIRST_REQUESTS = 2

interface Piece {
  readonly position: number
  readonly wanted: number
  readonly buffer: Buffer
  got: number
  complete: boolean
  /** Its bytes are not wanted any more. */
  dropped: boolean
}

/**
 * Reads a file with many requests under way and hands the bytes on in order, a ring of buffers long. Short answers are
 * completed by asking again for what is missing.
 * @returns bytes given to the sink
 * @throws NOT_FOUND, DENIED, IS_A_DIRECTORY; PROTOCOL when the file became shorter than it was when opened
 */
export async function readFile(
  session: SftpSession,
  path: string,
  range: ByteRange | undefined,
  sink: ByteSink,
  deadlines: Deadlines,
  signal?: AbortSignal,
): Promise<number> {
  if (signal?.aborted) throw abortedBy(signal, true)
  return new Read(session, path, range, deadlines).run(sink, signal)
}

type Sized = (error: Error | undefined, stats: Stats | undefined) => void

/** One reading of one file: `run` alone, or `open` first, with `range` as a guess, and then `run` or `close`. */
export class Read {
  readonly #wakeup = new Wakeup()
  readonly #pieces: Piece[] = []
  readonly #watch
  #start: number
  #next: number
  /** First byte not to read: of the range now, of the file too once its size is known. */
  #end: number
  #size: number | undefined
  #sized = false
  #chunk: number
  #depth = FIRST_REQUESTS
  #extra: number | undefined
  #failure: unknown
  #failed = false
  #opened = false
  #aborted = false
  #finished = false
  #handle: Buffer | undefined
  /** What is asked about: the handle, or the one that the server will likely give. */
  #asking: Buffer | undefined
  #signal: AbortSignal | undefined

  /** @param range what is to be read; before `open`, what likely will be */
  constructor(
    private readonly session: SftpSession,
    private readonly path: string,
    range: ByteRange | undefined,
    private readonly deadlines: Deadlines,
  ) {
    this.#watch = session.watch()
    this.#start = this.#next = range?.start ?? 0
    this.#end = endOf(range)
    this.#chunk = session.maxRead
  }

  /** Opens the file and asks for its first bytes. @returns what was opened; rejects with what its requests rejected with */
  open(): Promise<Stats> {
    return new Promise((resolve, reject) => {
      this.#open((error, stats) => {
        if (stats) resolve(stats)
        else reject(error ?? answered('PROTOCOL'))
      })
    })
  }

  /** What is to be read after all. */
  aim(range: ByteRange | undefined): void {
    const start = range?.start ?? 0
    this.#end = Math.min(endOf(range), this.#size ?? Infinity)
    if (start !== this.#start) {
      this.#start = this.#next = start
      this.#drop(-Infinity)
    }
    this.#drop(this.#end)
  }

  /** Gives up all pieces from `position` on. An answer may still be put into those that are under way. */
  #drop(position: number): void {
    for (let last = this.#pieces.at(-1); last && last.position >= position; last = this.#pieces.at(-1)) {
      this.#pieces.pop()
      last.dropped = true
      if (last.complete) giveReadBuffer(last.buffer)
    }
  }

  async run(sink: ByteSink, signal: AbortSignal | undefined): Promise<number> {
    this.#signal = signal
    const onAbort = () => {
      this.#aborted = true
      this.#wakeup.wake()
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    if (signal?.aborted) onAbort()
    this.#watch.arm(this.deadlines.firstByte)
    try {
      if (!this.#opened) this.#open()
      return await this.#deliver(sink)
    } catch (error) {
      if (!isStatus(error)) throw error
      this.#watch.arm(this.deadlines.metadata)
      throw await explainRead(this.session, this.path, error)
    } finally {
      signal?.removeEventListener('abort', onAbort)
      this.#watch.disarm()
      this.close()
    }
  }

  /** OPEN, and with it FSTAT and the first reads where its answer can be told before it comes. */
  #open(sized?: Sized): void {
    this.#opened = true
    const { session } = this
    const asked = performance.now()
    const expected = session.expectHandle()
    session.submit<Buffer>(
      (answer) => session.sftp.open(this.path, 'r', answer),
      (error, handle) => {
        if (error || !handle) {
          this.#fail(error)
          sized?.(error, undefined)
          return
        }
        session.answeredIn(performance.now() - asked)
        this.#handle = handle
        if (this.#finished) this.#closeHandle()
        else if (expected?.equals(handle)) this.#wakeup.wake()
        else this.#begin(handle, sized)
      },
    )
    if (expected) this.#begin(expected, sized)
  }

  /** Asks for size and first bytes; answers about another handle count no more. */
  #begin(handle: Buffer, sized?: Sized): void {
    const { session } = this
    this.#asking = handle
    this.#drop(-Infinity)
    this.#next = this.#start
    session.submit<Stats>(
      (answer) => session.sftp.fstat(handle, answer),
      (error, stats) => {
        if (handle !== this.#asking || (error && this.#failed)) return
        this.#learnSize(error, stats)
        sized?.(error, stats)
      },
    )
    this.#ask()
  }

  #learnSize(error: Error | undefined, stats: Stats | undefined): void {
    this.#sized = true
    if (error && !isStatus(error)) this.#fail(error)
    if (stats && typeOf(stats) === 'directory') this.#fail(answered('IS_A_DIRECTORY'))
    // Files that the system makes up (/proc) tell 0: their end is where the server says so.
    if (stats && stats.size > 0) {
      this.#size = stats.size
      this.#end = Math.min(this.#end, stats.size)
    }
    this.#wakeup.wake()
  }

  /** Nothing more is asked for, and the file is closed. */
  close(): void {
    if (this.#finished) return
    this.#finished = true
    this.#drop(-Infinity)
    headroom.give(this.#extra ?? 0)
    this.#closeHandle()
  }

  /** Closes the handle before the next request, without waiting: answers still under way are told apart by their ids. */
  #closeHandle(): void {
    const handle = this.#handle
    if (!handle || !this.session.open) return
    this.#handle = undefined
    const guard = this.session.watch()
    guard.arm(this.deadlines.metadata)
    this.session.submitSoon<void>(
      (answer) => this.session.sftp.close(handle, answer),
      () => guard.disarm(),
    )
  }

  #fail(error: unknown): void {
    if (!this.#failed) {
      this.#failed = true
      this.#failure = error
    }
    this.#wakeup.wake()
  }

  #check(): void {
    if (this.#aborted) throw abortedBy(this.#signal, this.session.open)
    if (this.#failed) throw this.#failure
  }

  /** Sends requests up to the depth allowed by now. */
  #ask(): void {
    const depth = Math.min(this.#depth, MAX_REQUESTS, Math.max(2, Math.floor(this.#ahead() / this.#chunk)))
    while (this.#pieces.length < depth && this.#next < this.#end && !this.#failed && !this.#aborted) {
      const wanted = Math.min(this.#chunk, this.#end - this.#next)
      const buffer = takeReadBuffer(wanted)
      const piece: Piece = { position: this.#next, wanted, buffer, got: 0, complete: false, dropped: false }
      this.#next += wanted
      this.#pieces.push(piece)
      this.#request(piece)
    }
  }

  /** Bytes that may be asked for ahead of the sink; a read that goes on far away gets more. */
  #ahead(): number {
    if (this.#extra === undefined && this.#depth * this.#chunk > READ_AHEAD) {
      const wanted = Math.min(FAR, PER_MILLISECOND * this.session.roundTrip) - READ_AHEAD
      this.#extra = headroom.take(wanted)
      if (this.#extra > 0) this.session.widenWindow(READ_AHEAD + this.#extra)
    }
    return READ_AHEAD + (this.#extra ?? 0)
  }

  #request(piece: Piece): void {
    const { session } = this
    const handle = this.#asking
    if (!handle) return
    session.submit<number>(
      (answer) =>
        session.sftp.read(
          handle,
          piece.buffer,
          piece.got,
          piece.wanted - piece.got,
          piece.position + piece.got,
          answer,
        ),
      (error, count = 0) => {
        session.refillWindow()
        if (piece.dropped) {
          if (!error) giveReadBuffer(piece.buffer)
          return
        }
        if (error) {
          this.#fail(error)
          return
        }
        this.#watch.progress(this.deadlines.stall)
        piece.got += count
        const reached = piece.position + piece.got
        // ssh2 reports the end of the file as 0 bytes.
        if (count === 0 || piece.got === piece.wanted || reached >= this.#end) piece.complete = true
        else {
          if (piece.got === count && count < this.#chunk) this.#chunk = Math.max(count, 4096)
          this.#request(piece)
        }
        if (piece.complete && piece === this.#pieces[0]) this.#wakeup.wake()
      },
    )
  }

  async #deliver(sink: ByteSink): Promise<number> {
    let given = 0
    for (;;) {
      const head = this.#pieces[0]
      this.#check()
      if (!this.#handle || !this.#sized || (head && !head.complete)) {
        this.#watch.arm(given === 0 ? this.deadlines.firstByte : this.deadlines.stall)
        await this.#wakeup.wait()
        continue
      }
      if (!head) {
        if (this.#next >= this.#end) return given
        this.#ask()
        continue
      }
      this.#watch.disarm()
      this.#pieces.shift()
      const length = Math.max(0, Math.min(head.got, this.#end - head.position))
      if (length > 0) {
        await this.#give(sink, head.buffer.subarray(0, length))
        given += length
      }
      giveReadBuffer(head.buffer)
      if (head.position + head.got < Math.min(this.#end, head.position + head.wanted)) return this.#ended(given)
      this.#depth++
      this.#ask()
    }
  }

  /** The server said that the file ends here. */
  #ended(given: number): number {
    if (this.#size !== undefined && this.#start + given < Math.min(this.#size, this.#end)) {
      throw new StorageError('PROTOCOL', 'The file became shorter while it was read.', { inStep: true })
    }
    return given
  }

  async #give(sink: ByteSink, chunk: Buffer): Promise<void> {
    const pending = sink(chunk)
    if (!pending) return
    let settled = false
    let failure: { error: unknown } | undefined
    pending.then(
      () => {
        settled = true
        this.#wakeup.wake()
      },
      (error: unknown) => {
        failure = { error }
        this.#wakeup.wake()
      },
    )
    while (!settled) {
      if (this.#aborted) throw abortedBy(this.#signal, this.session.open)
      if (failure) throw failure.error
      await this.#wakeup.wait()
    }
  }
}

/** First byte after a range. */
function endOf(range: ByteRange | undefined): number {
  return range?.end === undefined ? Infinity : range.end + 1
}
