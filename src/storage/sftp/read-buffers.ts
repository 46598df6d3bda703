import { free, madeForOneReader } from '../spent-bytes.js'

/** The largest answer that a read asks for. */
export const LARGEST_READ = 255 * 1024
/** Smaller ones are made anew: they cost little. */
const SMALL = 16 * 1024
const SIZES = [32 * 1024, 64 * 1024, 128 * 1024, LARGEST_READ]
/** Bytes that are kept for all reads together while nobody uses them. */
const KEPT = 4 * 1024 * 1024

const spare = new Map<number, Buffer[]>(SIZES.map((size) => [size, []]))
let kept = 0

/** Where an answer of up to `bytes` can be put. Buffers are used again: one for each read is memory that waits for the collector. */
export function takeReadBuffer(bytes: number): Buffer {
  const size = SIZES.find((candidate) => candidate >= bytes)
  if (bytes <= SMALL || size === undefined) return Buffer.allocUnsafe(bytes)
  const buffer = spare.get(size)?.pop()
  if (buffer === undefined) return Buffer.allocUnsafeSlow(size)
  kept -= size
  return buffer
}

/** Only for a buffer that nobody looks at any more, and in which no answer will be put. */
export function giveReadBuffer(buffer: Buffer): void {
  const alike = spare.get(buffer.length)
  if (alike === undefined) return
  if (kept + buffer.length > KEPT) free(madeForOneReader(buffer))
  else {
    kept += buffer.length
    alike.push(buffer)
  }
}
