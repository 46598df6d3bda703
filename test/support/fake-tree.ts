import { StorageError } from '../../src/storage/errors.js'
import type { ByteRange, ByteSink } from '../../src/storage/driver.js'
import type { Failure, Node, NodeListing } from '../../src/vfs/node.js'
import type { Call, Guard, Tree, WriteRequest } from '../../src/vfs/tree.js'
import { VfsError } from '../../src/vfs/errors.js'
import { baseName, contains, parentPath } from '../../src/vfs/virtual-path.js'

export function fileNode(path: string, size: number, changes: Partial<Node> = {}): Node {
  return {
    path,
    name: baseName(path),
    type: 'file',
    symlink: false,
    size,
    modified: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
    etag: `"${size}-1"`,
    ...changes,
  }
}

export function folderNode(path: string): Node {
  return fileNode(path, 0, { type: 'directory', etag: undefined })
}

/** A tree in memory, as far as the pages go: without locks and properties. */
export class FakeTree implements Pick<
  Tree,
  'userId' | 'username' | 'stat' | 'list' | 'read' | 'open' | 'write' | 'makeDirectory' | 'remove' | 'copy' | 'move'
> {
  readonly userId = 1
  readonly files = new Map<string, Buffer>()
  readonly folders = new Set(['/'])
  /** Bytes handed to the sink at a time. */
  chunkSize = 64 * 1024
  /** Replaces `read`. */
  onRead: ((range: ByteRange | undefined, sink: ByteSink, call: Call) => Promise<void>) | undefined
  /** Thrown by `stat`, `list` and `read`. */
  failure: Error | undefined
  reads = 0
  lastWrite: WriteRequest | undefined

  constructor(readonly username = 'anna') {}

  add(path: string, content: string | Buffer): this {
    this.files.set(path, Buffer.from(content))
    for (let folder = parentPath(path); folder !== '/'; folder = parentPath(folder)) this.folders.add(folder)
    return this
  }

  stat(path: string): Promise<Node> {
    if (this.failure) return Promise.reject(this.failure)
    const node = this.#nodeOf(path)
    return node ? Promise.resolve(node) : Promise.reject(new StorageError('NOT_FOUND', 'no such file'))
  }

  async list(path: string): Promise<NodeListing> {
    const self = await this.stat(path)
    if (self.type === 'file') throw new StorageError('NOT_A_DIRECTORY', 'a file')
    const members = [...this.folders, ...this.files.keys()]
      .filter((member) => member !== '/' && parentPath(member) === path)
      .map((member) => this.#nodeOf(member))
      .filter((node) => node !== undefined)
    return { self, members }
  }

  async read(node: Node, range: ByteRange | undefined, sink: ByteSink, call: Call): Promise<void> {
    this.reads++
    if (this.failure) throw this.failure
    if (this.onRead) return this.onRead(range, sink, call)
    const content = this.files.get(node.path) ?? Buffer.alloc(0)
    const end = (range?.end ?? content.length - 1) + 1
    for (let at = range?.start ?? 0; at < end; at += this.chunkSize) {
      await sink(content.subarray(at, Math.min(end, at + this.chunkSize)))
    }
  }

  async open(path: string, _likely: unknown, use: Parameters<Tree['open']>[2], call: Call): Promise<Node> {
    const node = await this.stat(path)
    if (node.type === 'file') await use(node, (range, sink) => this.read(node, range, sink, call))
    return node
  }

  async write(path: string, source: AsyncIterable<Uint8Array>, request: WriteRequest) {
    this.lastWrite = request
    const current = this.#nodeOf(path)
    request.check?.(current)
    const chunks: Uint8Array[] = []
    for await (const chunk of source) chunks.push(chunk)
    this.files.set(path, Buffer.concat(chunks))
    const stored = this.#nodeOf(path)
    if (!stored) throw new Error('not stored')
    const node = request.modified === undefined ? stored : { ...stored, modified: request.modified }
    return { node, created: current === undefined }
  }

  makeDirectory(path: string): Promise<Node> {
    if (this.failure) return Promise.reject(this.failure)
    if (this.#nodeOf(path)) return Promise.reject(new VfsError('TARGET_EXISTS', 'Something stands there already.'))
    if (!this.folders.has(parentPath(path))) return Promise.reject(new VfsError('PARENT_MISSING', 'No such folder.'))
    this.folders.add(path)
    return Promise.resolve(folderNode(path))
  }

  async remove(path: string, guard?: Guard): Promise<Failure[]> {
    const node = await this.stat(path)
    guard?.check?.(node)
    for (const known of [...this.files.keys()]) if (contains(path, known)) this.files.delete(known)
    for (const known of [...this.folders]) if (contains(path, known)) this.folders.delete(known)
    return []
  }

  async copy(from: string, to: string, options: { overwrite: boolean }, _guard: Guard, call: Call) {
    await this.stat(from)
    const created = this.#nodeOf(to) === undefined
    if (!created && !options.overwrite) throw new VfsError('TARGET_EXISTS', 'The target exists.')
    for (const [known, content] of [...this.files]) {
      if (!contains(from, known)) continue
      call.signal.throwIfAborted()
      this.files.set(to + known.slice(from.length), content)
      call.onBytes?.(content.length)
    }
    for (const known of [...this.folders]) if (contains(from, known)) this.folders.add(to + known.slice(from.length))
    return { created, failures: [] as Failure[] }
  }

  async move(from: string, to: string, options: { overwrite: boolean }, guard: Guard, call: Call) {
    const result = await this.copy(from, to, options, guard, call)
    await this.remove(from)
    return result
  }

  #nodeOf(path: string): Node | undefined {
    const content = this.files.get(path)
    if (content) return fileNode(path, content.length)
    return this.folders.has(path) ? folderNode(path) : undefined
  }
}
