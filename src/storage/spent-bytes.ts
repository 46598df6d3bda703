import { MessageChannel } from 'node:worker_threads'

/**
 * Memory of large chunks counts for V8 as its own, so 64 MiB of them that wait for a collection start one of the whole heap:
 * an upload of 1 GiB made sixteen, which took more time than the upload. Whoever makes a chunk for one reader says so, and
 * the last to look at it frees it.
 */
const disposable = new WeakSet<Uint8Array>()

/** What is posted to a port that is closed is gone, and memory that is handed over leaves its chunk at once. */
const nowhere = closedPort()

/** Bytes. Smaller ones cost less than what is done about them. */
const LARGE = 16 * 1024

/** Nobody keeps `chunk` or a part of it, save the reader that it is given to. Without effect where it shares its memory or is small. */
export function madeForOneReader<Chunk extends Uint8Array>(chunk: Chunk): Chunk {
  if (chunk.byteLength >= LARGE && chunk.byteLength === chunk.buffer.byteLength) disposable.add(chunk)
  return chunk
}

/** To be called by whoever looked at `chunk` last; without effect on one that was not made for one reader. It is empty then. */
export function free(chunk: Uint8Array): void {
  if (disposable.delete(chunk)) nowhere.postMessage(undefined, [chunk.buffer as ArrayBuffer])
}

function closedPort(): MessageChannel['port1'] {
  const { port1, port2 } = new MessageChannel()
  port2.close()
  port1.close()
  return port1
}
