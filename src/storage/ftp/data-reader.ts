import type { OnReadOpts, Socket } from 'node:net'
import { giveBuffer, takeBuffer } from './transfer-buffers.js'

interface Chunk {
  readonly buffer: Buffer
  readonly length: number
}

/** One buffer belongs to the socket, the others wait for the sink or are with it. */
const BUFFERS = 3

/**
 * Reads a data connection into a few large buffers and stops reading while all of them are full, so that a slow consumer
 * slows the server down. `onread` goes into the options of the socket (it saves the stream's own, smaller buffers).
 */
export class DataReader {
  readonly onread: OnReadOpts = {
    buffer: () => (this.#own = takeBuffer()),
    callback: (length, buffer) => this.#received(buffer as Buffer, length),
  }
  readonly #full: Chunk[] = []
  /** Buffers that are full or with the sink. */
  #used = 0
  /** The buffer that belongs to the socket, until it is closed. */
  #own: Buffer | undefined
  #socket: Socket | undefined
  #ended = false
  #error: Error | undefined
  #wake: (() => void) | undefined

  attach(socket: Socket): void {
    this.#socket = socket
    socket.once('end', () => {
      this.#ended = true
      this.wake()
    })
    socket.once('error', (error) => {
      this.#error = error
      this.wake()
    })
    socket.once('close', () => {
      if (!this.#ended) this.#error ??= new Error('The data connection was closed.')
      if (this.#own) giveBuffer(this.#own)
      this.#own = undefined
      this.wake()
    })
  }

  /** Nothing has happened yet: no byte, no end, no error. */
  get untouched(): boolean {
    return this.#used === 0 && !this.#ended && this.#error === undefined
  }

  /** The server has sent everything, and everything was taken. */
  get finished(): boolean {
    return this.#ended && this.#full.length === 0
  }

  /** Why the data connection broke; only once everything before it was taken. */
  get error(): Error | undefined {
    return this.#full.length === 0 ? this.#error : undefined
  }

  /** Settles with the next chunk, end, error or call of `wake`. */
  wait(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve))
  }

  wake(): void {
    this.#wake?.()
    this.#wake = undefined
  }

  take(): Chunk | undefined {
    return this.#full.shift()
  }

  /** Gives a chunk back that nobody looks at any more. */
  release(chunk: Chunk): void {
    this.#used--
    giveBuffer(chunk.buffer)
    if (this.#used === BUFFERS - 2) this.#socket?.resume()
  }

  /** Ends the data connection at once. */
  destroy(): void {
    this.#socket?.destroy()
    for (const { buffer } of this.#full.splice(0)) giveBuffer(buffer)
  }

  #received(buffer: Buffer, length: number): boolean {
    this.#full.push({ buffer, length })
    this.#used++
    this.wake()
    return this.#used < BUFFERS - 1
  }
}
