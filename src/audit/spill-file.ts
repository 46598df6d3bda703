import { createHash, randomUUID } from 'node:crypto'
import { open, rm, stat, type FileHandle } from 'node:fs/promises'
import { StringDecoder } from 'node:string_decoder'
import type { Mark, UnchainedEvent } from '../db/stores/audit-store.js'
import { messageOf } from '../errors.js'

export interface SpillFileOptions {
  readonly file: string
  /** Bytes of the file above which events are lost. */
  readonly maxBytes?: number
  /** Bytes in memory that wait for the disk, likewise. */
  readonly maxWaiting?: number
  /** So many events are lost; `reason` is for the log. */
  readonly onLost: (count: number, reason: string) => void
}

/** What has been stored of a spill file, as a setting in the transaction of the events: `<id of the file> <offset>`. */
const MARK = 'audit-spill'
/** Begins the first line, which makes the file another one than the one before it. */
const HEADING = '{"spill":"'
const PRIVATE = 0o600
const BATCH = 500
const READ = 64 * 1024

/**
 * Where events wait on the disk when the database cannot take them: JSON lines, the first one an id of the file.
 * Everything that touches the file runs one after the other.
 */
export class SpillFile {
  #tail: Promise<void> = Promise.resolve()
  #waiting: string[] = []
  #waitingBytes = 0
  #size: number | undefined
  #flushing = false

  constructor(private readonly options: SpillFileOptions) {}

  /** Whether events lie there, of this process or of an earlier one. */
  async holdsEvents(): Promise<boolean> {
    await this.#tail
    return (await this.#sizeNow()) > 0
  }

  /** Returns at once. @returns false when the event is lost: the bounds are met */
  add(event: UnchainedEvent): boolean {
    const line = JSON.stringify(event) + '\n'
    const { maxBytes = 256 * 1024 ** 2, maxWaiting = 16 * 1024 ** 2 } = this.options
    if (this.#waitingBytes + line.length > maxWaiting || (this.#size ?? 0) + this.#waitingBytes > maxBytes) return false
    this.#waiting.push(line)
    this.#waitingBytes += line.length
    if (!this.#flushing) {
      this.#flushing = true
      this.#run(() => this.#flush())
    }
    return true
  }

  /** Everything that was added is on the disk. */
  async flushed(): Promise<void> {
    await this.#tail
  }

  /**
   * Hands all events to `take`, in batches with the mark to store with them, then removes the file. What an earlier replay
   * has stored is passed over.
   * @throws what `take` throws; the rest stays for the next time
   */
  async replay(mark: (name: string) => Promise<string | undefined>, take: Take): Promise<void> {
    for (let more = true; more;) {
      // One batch at a time: what is added meanwhile gets its turn at the file.
      await new Promise<void>((resolve, reject) => {
        this.#run(async () => {
          try {
            more = await this.#replayBatch(await mark(MARK), take)
            resolve()
          } catch (error) {
            reject(error instanceof Error ? error : new Error(messageOf(error)))
          }
        })
      })
    }
  }

  async #replayBatch(stored: string | undefined, take: Take): Promise<boolean> {
    const { file, onLost } = this.options
    if ((await this.#sizeNow()) === 0) return false
    const handle = await open(file, 'r')
    try {
      const head = await readLines(handle, 0, 1)
      const [first = ''] = head.lines
      const id = createHash('sha256').update(first).digest('hex').slice(0, 32)
      const [storedId, offset = '0'] = stored?.split(' ') ?? []
      const start = storedId === id ? Number(offset) : isHeading(first) ? head.end : 0
      const { lines, end } = await readLines(handle, start, BATCH)
      if (lines.length === 0) {
        const { size } = await handle.stat()
        if (size > end) onLost(1, 'the last event in the spill file is cut')
        await rm(file, { force: true })
        this.#size = 0
        return false
      }
      const events = lines.map(eventOf)
      const readable = events.filter((event) => event !== undefined)
      if (readable.length < events.length)
        onLost(events.length - readable.length, 'events in the spill file cannot be read')
      await take(readable, { name: MARK, value: `${id} ${end}` })
      return true
    } finally {
      await handle.close()
    }
  }

  async #flush(): Promise<void> {
    const lines = this.#waiting
    this.#waiting = []
    this.#waitingBytes = 0
    this.#flushing = false
    try {
      const size = await this.#sizeNow()
      const handle = await open(this.options.file, 'a', PRIVATE)
      try {
        const text = (size === 0 ? `${HEADING}${randomUUID()}"}\n` : '') + lines.join('')
        await handle.appendFile(text)
        await handle.datasync()
        this.#size = size + Buffer.byteLength(text)
      } finally {
        await handle.close()
      }
    } catch (error) {
      this.#size = undefined
      this.options.onLost(lines.length, messageOf(error))
    }
  }

  async #sizeNow(): Promise<number> {
    this.#size ??= await stat(this.options.file).then(
      ({ size }) => size,
      () => 0,
    )
    return this.#size
  }

  #run(work: () => Promise<void>): void {
    this.#tail = this.#tail.then(work)
  }
}

type Take = (events: readonly UnchainedEvent[], mark: Mark) => Promise<void>

/** Whole lines from `start` on, at most `most`, and where the last of them ends. */
async function readLines(handle: FileHandle, start: number, most: number): Promise<{ lines: string[]; end: number }> {
  const lines: string[] = []
  const decoder = new StringDecoder('utf8')
  let text = ''
  let end = start
  for (let at = start; lines.length < most;) {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(READ), 0, READ, at)
    if (bytesRead === 0) break
    at += bytesRead
    text += decoder.write(buffer.subarray(0, bytesRead))
    for (let stop = text.indexOf('\n'); stop >= 0 && lines.length < most; stop = text.indexOf('\n')) {
      const line = text.slice(0, stop)
      lines.push(line)
      end += Buffer.byteLength(line) + 1
      text = text.slice(stop + 1)
    }
  }
  return { lines, end }
}

function isHeading(line: string): boolean {
  return line.startsWith(HEADING)
}

function eventOf(line: string): UnchainedEvent | undefined {
  try {
    const event = JSON.parse(line) as Omit<UnchainedEvent, 'at'> & { at: string }
    const at = new Date(event.at)
    return Number.isNaN(at.getTime()) || typeof event.type !== 'string' ? undefined : { ...event, at }
  } catch {
    return undefined
  }
}
