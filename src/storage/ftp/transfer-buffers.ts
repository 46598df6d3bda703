/** Large, reused buffers for data connections: allocating them for every transfer costs more than the transfer of a small file. */
const SIZE = 256 * 1024
const KEPT = 16

const spare: Buffer[] = []

export function takeBuffer(): Buffer {
  return spare.pop() ?? Buffer.allocUnsafeSlow(SIZE)
}

/** Only for a buffer that nobody looks at any more. */
export function giveBuffer(buffer: Buffer): void {
  if (spare.length < KEPT) spare.push(buffer)
}
