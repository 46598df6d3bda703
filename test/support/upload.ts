import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { request } from 'node:http'
import { readdir, readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

export interface Upload {
  readonly url: string
  readonly auth: string
  readonly body: Buffer
  readonly headers?: Readonly<Record<string, string>>
  /** Called once so many bytes were handed to the network; the rest waits for its promise. */
  readonly pauseAt?: { readonly bytes: number; readonly then: (cut: () => void) => void | Promise<void> }
}

const CHUNK = 64 * 1024

/** PUTs a body, and lets something happen in the middle. @returns the status, or 'cut' when no answer came */
export async function upload({ url, auth, body, headers, pauseAt }: Upload): Promise<number | 'cut'> {
  const outgoing = request(url, { method: 'PUT', auth, headers: { ...headers, 'Content-Length': body.length } })
  const answer = new Promise<number | 'cut'>((resolve) => {
    outgoing.once('response', (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    outgoing.on('error', () => resolve('cut'))
    outgoing.once('close', () => resolve('cut'))
  })
  let paused = false
  for (let at = 0; at < body.length && !outgoing.destroyed; at += CHUNK) {
    if (pauseAt && !paused && at >= pauseAt.bytes) {
      paused = true
      await pauseAt.then(() => outgoing.destroy())
    }
    if (!outgoing.destroyed && !outgoing.write(body.subarray(at, at + CHUNK))) await drained(outgoing)
  }
  if (pauseAt && !paused) await pauseAt.then(() => outgoing.destroy())
  if (!outgoing.destroyed) outgoing.end()
  return answer
}

async function drained(outgoing: NodeJS.EventEmitter): Promise<void> {
  const done = new AbortController()
  const { signal } = done
  await Promise.race(['drain', 'close', 'error'].map((event) => once(outgoing, event, { signal }).catch(() => {})))
  done.abort()
}

/** Bytes that say which version they are, each version different from its first to its last byte. */
export function versionOf(number: number, size: number): Buffer {
  const block = createHash('sha512').update(`version ${number}`).digest()
  return Buffer.alloc(size, block)
}

/** Temporary names of the gateway in a folder and below. */
export async function temporaryFilesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true })
  return names.filter((name) => path.basename(name).startsWith('.ftpc-'))
}

/** Waits for something that only another process knows. Looks often; fails after `seconds`. */
export async function eventually(what: string, seconds: number, holds: () => Promise<boolean>): Promise<void> {
  const until = Date.now() + seconds * 1000
  while (!(await holds())) {
    if (Date.now() > until) throw new Error(`Not within ${seconds} s: ${what}`)
    await delay(50)
  }
}

export async function contentOf(file: string): Promise<Buffer> {
  return readFile(file)
}

export async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  )
}
