import type {
  ByteRange,
  ByteSink,
  Connection,
  Entry,
  FreeSpace,
  Listing,
  OpenFile,
  OpenOptions,
  OperationOptions,
  Traits,
  WriteOptions,
} from '../driver.js'
import { StorageError } from '../errors.js'
import { anyOf } from '../../heap/signals.js'
import { joinRemote } from '../remote-path.js'
import type { MemoryCall, MemoryServer } from './memory-driver.js'

const CHUNK = 65_536

/** One login on a `MemoryServer`. Every error leaves it in step, save those that a test's hook throws otherwise. */
export class MemoryConnection implements Connection {
  readonly home: string
  readonly traits: Traits
  readonly openFile?: NonNullable<Connection['openFile']>
  readonly #closed = new AbortController()

  constructor(
    private readonly server: MemoryServer,
    private readonly username: string,
  ) {
    this.home = server.options.homes?.[username] ?? '/'
    this.traits = {
      renameReplaces: server.options.renameReplaces ?? true,
      fingerprint: server.options.fingerprint,
    }
    server.connections.add(this)
    if (server.options.opensFiles === true) this.openFile = (path, options) => this.#openFile(path, options)
  }

  get open(): boolean {
    return !this.#closed.signal.aborted
  }

  close(): void {
    this.server.connections.delete(this)
    this.#closed.abort()
  }

  stat(path: string, options?: OperationOptions): Promise<Entry> {
    return this.#do('stat', path, options, () => this.server.tree.stat(path))
  }

  list(path: string, options?: OperationOptions): Promise<Listing> {
    return this.#do('list', path, options, () => this.server.tree.list(path))
  }

  read(path: string, range: ByteRange | undefined, sink: ByteSink, options?: OperationOptions): Promise<number> {
    return this.#do('read', path, options, async (call) => {
      const wanted = this.server.tree
        .content(path)
        .subarray(range?.start ?? 0, range?.end === undefined ? undefined : range.end + 1)
      for (let at = 0; at < wanted.length; at += CHUNK) {
        await this.#unlessEnded(this.server.beforeChunk(call, at), options)
        // A copy that is wiped afterwards: whoever keeps a chunk too long finds out here and not on a real server.
        const chunk = Buffer.from(wanted.subarray(at, at + CHUNK))
        await this.#unlessEnded(sink(chunk), options)
        chunk.fill(0)
      }
      return wanted.length
    })
  }

  /** Nothing is held open: what `read` gives is what stands there then. */
  #openFile(path: string, options?: OpenOptions): Promise<OpenFile> {
    return this.#do('openFile', path, options, () => ({
      entry: this.server.tree.stat(path),
      held: false,
      close: () => this.server.closed.push(path),
    }))
  }

  write(path: string, source: AsyncIterable<Uint8Array>, options: WriteOptions = {}): Promise<number> {
    return this.#do('write', path, options, async (call) => {
      const { tree } = this.server
      tree.open(path, { exclusive: options.exclusive === true, mode: options.mode })
      const iterator = source[Symbol.asyncIterator]()
      let stored = 0
      try {
        for (;;) {
          const next = await this.#unlessEnded(iterator.next(), options)
          if (next.done) return stored
          await this.#unlessEnded(this.server.beforeChunk(call, stored), options)
          this.#assertRoom(next.value.length)
          tree.append(path, next.value)
          stored += next.value.length
        }
      } catch (error) {
        // Not awaited: a source that hangs would hang this too.
        iterator.return?.().catch(() => undefined)
        throw error
      }
    })
  }

  makeDirectory(path: string, options?: OperationOptions): Promise<void> {
    return this.#do('makeDirectory', path, options, () => this.server.tree.makeDirectory(path))
  }

  removeFile(path: string, options?: OperationOptions): Promise<void> {
    return this.#do('removeFile', path, options, () => this.server.tree.removeFile(path))
  }

  removeDirectory(path: string, options?: OperationOptions): Promise<void> {
    return this.#do('removeDirectory', path, options, () => this.server.tree.removeDirectory(path))
  }

  rename(from: string, to: string, options?: OperationOptions): Promise<void> {
    return this.#do('rename', from, options, () => {
      assertPath(to)
      this.server.tree.rename(from, to, this.traits.renameReplaces === true)
    })
  }

  ping(options?: OperationOptions): Promise<void> {
    return this.#do('ping', '/', options, () => undefined)
  }

  setModified(path: string, modified: number, options?: OperationOptions): Promise<void> {
    return this.#do('setModified', path, options, () => this.server.tree.setModified(path, modified))
  }

  setMode(path: string, mode: number, options?: OperationOptions): Promise<void> {
    return this.#do('setMode', path, options, () => this.server.tree.setMode(path, mode))
  }

  freeSpace(path: string, options?: OperationOptions): Promise<FreeSpace> {
    return this.#do('freeSpace', path, options, () => {
      const { usedBytes } = this.server.tree
      const { capacity = Number.MAX_SAFE_INTEGER } = this.server.options
      return { available: Math.max(0, capacity - usedBytes), used: usedBytes }
    })
  }

  async #do<T>(
    operation: MemoryCall['operation'],
    path: string,
    options: OperationOptions | undefined,
    work: (call: MemoryCall) => T | Promise<T>,
  ): Promise<T> {
    if (!this.open) throw lost()
    assertPath(path)
    if (options?.signal?.aborted) throw aborted()
    const call: MemoryCall = { operation, path, username: this.username }
    this.server.calls.push(call)
    await this.#unlessEnded(this.server.before(call), options)
    const result = await work(call)
    await this.#unlessEnded(this.server.after(call), options)
    return result
  }

  /** Waits for `work`, until the caller's signal fires or the connection ends. */
  async #unlessEnded<T>(work: T | Promise<T>, options: OperationOptions | undefined): Promise<T> {
    const closed = this.#closed.signal
    try {
      const result = await unlessAborted(work, options?.signal ? anyOf(options.signal, closed) : closed)
      if (this.open) return result
    } catch (error) {
      if (this.open) throw error
    }
    throw lost()
  }

  #assertRoom(bytes: number): void {
    const { capacity } = this.server.options
    if (capacity !== undefined && this.server.tree.usedBytes + bytes > capacity) {
      throw new StorageError('NO_SPACE', 'The server is full.', { inStep: true })
    }
  }
}

/** @throws ABORTED as soon as the signal fires, whatever becomes of `work` */
export async function unlessAborted<T>(work: T | Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined || !(work instanceof Promise)) {
    const result = await work
    if (signal?.aborted) throw aborted()
    return result
  }
  let onAbort = (): void => undefined
  const stopped = new Promise<never>((_, reject) => {
    onAbort = () => reject(aborted())
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort)
  })
  try {
    return await Promise.race([work, stopped])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

function assertPath(path: string): void {
  if (path !== '/') joinRemote('/', ...path.slice(1).split('/'))
}

function aborted(): StorageError {
  return new StorageError('ABORTED', 'The operation was stopped.', { inStep: true })
}

function lost(): StorageError {
  return new StorageError('CONNECTION_LOST', 'The connection to the server has ended.')
}
