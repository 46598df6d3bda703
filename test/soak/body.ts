import { createHash, randomBytes } from 'node:crypto'

const HEAD = 256

/** What a body says of itself. */
export interface Label {
  readonly path: string
  readonly version: number
  readonly writer: string
}

const NOISE = randomBytes(1024 * 1024)

/** A body of `size` bytes, at least 256, that tells which version it is and proves that it is whole. */
export function bodyFor(label: Label, size: number): Buffer {
  const payload = Buffer.alloc(Math.max(0, size - HEAD))
  for (let at = 0; at < payload.length; at += NOISE.length) NOISE.copy(payload, at)
  if (payload.length >= 4) payload.writeUInt32LE(label.version)
  const sha256 = createHash('sha256').update(payload).digest('hex')
  const head = Buffer.alloc(HEAD, ' ')
  head.write(JSON.stringify({ ...label, length: payload.length, sha256 }))
  return Buffer.concat([head, payload])
}

/** @returns what the body says of itself; undefined when it is not whole */
export function labelOf(body: Buffer): Label | undefined {
  try {
    const { length, sha256, ...label } = JSON.parse(body.toString('utf8', 0, HEAD)) as Label & {
      length: number
      sha256: string
    }
    const payload = body.subarray(HEAD)
    const whole = payload.length === length && createHash('sha256').update(payload).digest('hex') === sha256
    return whole ? label : undefined
  } catch {
    return undefined
  }
}
