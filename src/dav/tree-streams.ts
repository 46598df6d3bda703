import { Readable, Writable } from 'node:stream'
import type { Node } from '../vfs/node.js'
import type { Call, Guard, Tree } from '../vfs/tree.js'

/** The content of a file as a stream; destroying the stream ends the read on the server. */
export function readStream(tree: Tree, node: Node): Readable {
  const abort = new AbortController()
  let resume: (() => void) | undefined
  let started = false
  const stream = new Readable({
    read() {
      resume?.()
      resume = undefined
      if (started) return
      started = true
      // The chunk is the driver's again once the sink settled, and a stream keeps chunks: hence the copy.
      const sink = (chunk: Buffer): void | Promise<void> => {
        if (stream.push(Buffer.from(chunk))) return
        return new Promise((resolve) => (resume = resolve))
      }
      tree.read(node, undefined, sink, { signal: abort.signal }).then(
        () => stream.push(null),
        (error: unknown) => stream.destroy(error as Error),
      )
    },
    destroy(error, callback) {
      abort.abort()
      resume?.()
      callback(error)
    },
  })
  return stream
}

/** A stream that stores what it is given; it finishes only when the server has the file. Destroying it stores nothing. */
export function writeStream(tree: Tree, path: string, guard: Guard): Writable {
  const abort = new AbortController()
  const call: Call = { signal: abort.signal }
  const queue: { chunk: Buffer | undefined; taken: () => void }[] = []
  let wake: (() => void) | undefined
  let failure: Error | undefined

  async function* source(): AsyncGenerator<Uint8Array> {
    for (;;) {
      if (failure) throw failure
      const next = queue.shift()
      if (!next) {
        await new Promise<void>((resolve) => (wake = resolve))
        continue
      }
      if (next.chunk === undefined) return
      yield next.chunk
      next.taken()
    }
  }
  const give = (chunk: Buffer | undefined, taken: () => void): void => {
    queue.push({ chunk, taken })
    wake?.()
  }
  let stored: Promise<unknown> | undefined
  const start = (): Promise<unknown> => {
    if (!stored) {
      stored = tree.write(path, source(), guard, call)
      stored.catch((error: unknown) => stream.destroy(error as Error))
    }
    return stored
  }
  const stream = new Writable({
    write(chunk: Buffer, _encoding, callback) {
      void start()
      give(chunk, callback)
    },
    final(callback) {
      start().then(
        () => callback(),
        () => undefined,
      )
      give(undefined, () => undefined)
    },
    destroy(error, callback) {
      failure = error ?? new Error('The stream was destroyed before its end.')
      abort.abort()
      wake?.()
      callback(error)
    },
  })
  return stream
}
