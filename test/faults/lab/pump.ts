import { reset } from './reset.js'
import type { Socket } from 'node:net'
import type { ByteRule, Direction, FaultProxy } from './fault-proxy.js'

/** How what passes is slowed down. */
export interface Shape {
  /** Milliseconds before each chunk, and before each reply of FTP. */
  readonly delay?: number
  /** Bytes in one piece. */
  readonly slice?: number
  readonly bytesPerSecond?: number
}

/** Carries bytes from one socket to the other under the rules of the proxy, one chunk at a time. */
export function pump(
  proxy: FaultProxy,
  channel: ByteRule['channel'],
  direction: Direction,
  from: Socket,
  to: Socket,
): void {
  let passed = 0
  let stalled = false

  const write = (bytes: Buffer): Promise<void> =>
    new Promise((resolve) => {
      if (channel === 'data' || !proxy.options.ftp) proxy.bytes[direction] += bytes.length
      if (bytes.length === 0 || to.destroyed) resolve()
      else to.write(bytes, () => resolve())
    })
  const strike = async (rule: ByteRule, rest: Buffer): Promise<void> => {
    switch (rule.action) {
      case 'corrupt':
        await write(Buffer.concat([Buffer.from([(rest[0] ?? 0) ^ 0x20]), rest.subarray(1)]))
        return
      case 'stall':
        stalled = true
        return
      case 'reset':
        reset(from)
        reset(to)
        return
      case 'fin':
        stalled = true
        to.end()
        return
      case 'cut':
        from.end()
        to.end()
        stalled = true
        return
    }
  }
  const carry = async (chunk: Buffer): Promise<void> => {
    const { delay, slice = chunk.length, bytesPerSecond } = proxy.shape
    for (let at = 0; at < chunk.length && !stalled && !to.destroyed; at += slice) {
      const piece = chunk.subarray(at, at + slice)
      if (delay !== undefined) await after(delay)
      if (bytesPerSecond !== undefined) await after((piece.length / bytesPerSecond) * 1000)
      const rule = proxy.takeRule(channel, direction, passed, piece.length)
      if (rule === undefined) await write(piece)
      else {
        const left = Math.max(0, rule.after - passed)
        await write(piece.subarray(0, left))
        await strike(rule, piece.subarray(left))
      }
      passed += piece.length
    }
  }
  // The end of a connection takes its turn behind what came before it.
  let turn = Promise.resolve()
  from.on('data', (chunk: Buffer) => {
    from.pause()
    turn = turn
      .then(() => carry(chunk))
      .then(() => {
        if (!proxy.frozen && !stalled) from.resume()
      })
  })
  from.on('end', () => {
    void turn.then(() => {
      if (!stalled) to.end()
    })
  })
  from.on('error', () => reset(to))
  from.once('close', () => {
    void turn.then(() => {
      if (!stalled && !to.writableEnded) to.destroy()
    })
  })
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
