/**
 * Large, reused buffers for data connections: allocating them for every transfer costs more than the transfer of a small file.
 * Half the size costs four downloads at once 40 % more CPU, twice the size brings little. What is never read to takes no memory.
 */
const SIZE = 512 * 1024
const KEPT = 16

const spare: Buffer[] = []

export function takeBuffer(): Buffer {
  return spare.pop() ?? Buffer.allocUnsafeSlow(SIZE)
}

/** Only for a buffer that nobody looks at any more. */
export function giveBuffer(buffer: Buffer): void {
  if (spare.length < KEPT) spare.push(buffer)
}
