import type { ByteSink } from '../storage/driver.js'

/**
 * Joins a read that pushes with a write that pulls. At most one chunk stands between them: the sink's promise settles when
 * the reader of `chunks` asks for more. Chunks are copies, since a writer may still hold one when it asks for the next.
 */
export class Channel {
  #waiting: ((result: IteratorResult<Buffer>) => void) | undefined
  #failWaiting: ((error: unknown) => void) | undefined
  #chunk: Buffer | undefined
  #taken: (() => void) | undefined
  #refuse: ((error: unknown) => void) | undefined
  #ended = false
  #error: Error | undefined
  #closed = false

  readonly sink: ByteSink = (chunk) => {
    if (this.#closed) throw new ChannelClosed()
    return new Promise<void>((resolve, reject) => {
      this.#taken = resolve
      this.#refuse = reject
      const copy = Buffer.from(chunk)
      if (this.#waiting === undefined) this.#chunk = copy
      else this.#settle((waiting) => waiting({ value: copy, done: false }))
    })
  }

  readonly chunks: AsyncIterable<Buffer> = {
    [Symbol.asyncIterator]: () => ({
      next: () => this.#next(),
      return: () => {
        this.close()
        return Promise.resolve({ value: undefined, done: true })
      },
    }),
  }

  /** The read is complete. */
  end(): void {
    this.#ended = true
    this.#settle((waiting) => waiting({ value: undefined, done: true }))
  }

  /** The read failed: the reader of `chunks` gets the error. */
  fail(thrown: unknown): void {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown))
    this.#error = error
    this.#ended = true
    const fail = this.#failWaiting
    this.#waiting = this.#failWaiting = undefined
    fail?.(error)
  }

  /** Nobody will read on: the sink refuses from now on. */
  close(): void {
    this.#closed = true
    this.#refuse?.(new ChannelClosed())
    this.#taken = this.#refuse = undefined
  }

  #next(): Promise<IteratorResult<Buffer>> {
    const taken = this.#taken
    if (this.#chunk === undefined) {
      this.#taken = this.#refuse = undefined
      taken?.()
    } else {
      const value = this.#chunk
      this.#chunk = undefined
      return Promise.resolve({ value, done: false })
    }
    if (this.#error !== undefined) return Promise.reject(this.#error)
    if (this.#ended) return Promise.resolve({ value: undefined, done: true })
    return new Promise((resolve, reject) => {
      this.#waiting = resolve
      this.#failWaiting = reject
    })
  }

  #settle(how: (waiting: (result: IteratorResult<Buffer>) => void) => void): void {
    const waiting = this.#waiting
    this.#waiting = this.#failWaiting = undefined
    if (waiting !== undefined) how(waiting)
  }
}

/** The writing side of a channel ended before the reading side. */
export class ChannelClosed extends Error {}
