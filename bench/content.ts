import { createCipheriv } from 'node:crypto'
import { open } from 'node:fs/promises'

/** Prime, so that pieces in the wrong order never look right: no chunk size of any protocol divides it. */
const PERIOD = 4_194_301

/** Bytes that do not compress, the same in every run. */
const PATTERN = createCipheriv('aes-128-ctr', Buffer.alloc(16, 7), Buffer.alloc(16)).update(Buffer.alloc(PERIOD))

/** The content of a file: `length` bytes that only files of the same `seed` share. */
export interface Content {
  readonly seed: number
  readonly length: number
}

/** Views of the pattern, at most `size` bytes each; nothing is copied. */
export function* chunksOf({ seed, length }: Content, size = 512 * 1024): Generator<Buffer> {
  for (let at = 0; at < length;) {
    const start = (seed * 7919 + at) % PERIOD
    const chunk = PATTERN.subarray(start, Math.min(PERIOD, start + Math.min(size, length - at)))
    yield chunk
    at += chunk.length
  }
}

export function bytesOf(content: Content): Buffer {
  return Buffer.concat([...chunksOf(content)])
}

/** Compares bytes with what they must be, as they come. */
export class Check {
  #at: number
  readonly #end: number

  /** @param start first byte that will come */
  constructor(
    private readonly content: Content,
    start = 0,
    length = content.length - start,
  ) {
    this.#at = start
    this.#end = start + length
  }

  readonly take = (chunk: Buffer): void => {
    if (this.#at + chunk.length > this.#end) throw new Error(`More than the ${this.#end} bytes of the file came.`)
    for (let done = 0; done < chunk.length;) {
      const start = (this.content.seed * 7919 + this.#at) % PERIOD
      const length = Math.min(chunk.length - done, PERIOD - start)
      if (PATTERN.compare(chunk, done, done + length, start, start + length) !== 0) {
        throw new Error(`Wrong bytes between ${this.#at} and ${this.#at + length}.`)
      }
      done += length
      this.#at += length
    }
  }

  end(): void {
    if (this.#at !== this.#end) throw new Error(`The file ended at ${this.#at} instead of ${this.#end}.`)
  }
}

/** Reads a file of this machine and compares every byte. */
export async function checkFile(path: string, content: Content): Promise<void> {
  const file = await open(path, 'r')
  try {
    const check = new Check(content)
    const buffer = Buffer.allocUnsafe(1 << 20)
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length)
      if (bytesRead === 0) break
      check.take(buffer.subarray(0, bytesRead))
    }
    check.end()
  } catch (error) {
    throw new Error(`${path} is not what was stored: ${(error as Error).message}`, { cause: error })
  } finally {
    await file.close()
  }
}
