import { StorageError } from '../storage/errors.js'
import type { ByteRange, ByteSink } from '../storage/driver.js'
import { VfsError } from './errors.js'
import type { Node, NodeListing } from './node.js'
import type { Call, ReadOpened, Tree } from './tree.js'
import { baseName, contains, parentPath } from './virtual-path.js'

export interface SharedTreeOptions {
  /** Who looks. */
  readonly userId: number
  readonly username: string
  /** Virtual path in the owner's tree. */
  readonly root: string
  readonly kind: Node['type']
}

/**
 * What one user shares, for another one to read: one file, or a folder with what is in it. Paths are those of the owner's
 * tree. Everything outside is not there. Symbolic links below the shared folder are not there either: they may lead out of
 * it, where the owner can look and nobody else was asked to.
 */
export class SharedTree implements Tree {
  readonly userId: number
  readonly username: string
  readonly #root: string
  readonly #kind: Node['type']
  /** Handed out by `stat` and `list`, which have looked. */
  readonly #known = new WeakSet<Node>()

  constructor(
    private readonly owner: Pick<Tree, 'stat' | 'list' | 'read'>,
    { userId, username, root, kind }: SharedTreeOptions,
  ) {
    this.userId = userId
    this.username = username
    this.#root = root
    this.#kind = kind
  }

  async stat(path: string, call: Call): Promise<Node> {
    await this.#assertWithin(path, call)
    const node = await this.owner.stat(path, call)
    // A file that became a folder is not what was shared.
    if (path === this.#root && node.type !== this.#kind) throw nothingThere()
    return this.#handOut(node)
  }

  async list(path: string, call: Call): Promise<NodeListing> {
    if (this.#kind === 'file') throw new StorageError('NOT_A_DIRECTORY', 'A file was shared.', { inStep: true })
    await this.#assertWithin(path, call)
    const { self, members } = await this.owner.list(path, call)
    const shown = members.filter(({ symlink }) => !symlink).map((member) => this.#handOut(member))
    return { self: this.#handOut(self), members: shown }
  }

  async read(node: Node, range: ByteRange | undefined, sink: ByteSink, call: Call): Promise<void> {
    if (!this.#known.has(node)) throw nothingThere()
    await this.owner.read(node, range, sink, call)
  }

  async open(
    path: string,
    _likely: unknown,
    use: (node: Node, read: ReadOpened) => Promise<void>,
    call: Call,
  ): Promise<Node> {
    const node = await this.stat(path, { ...call, fresh: true })
    if (node.type === 'file') await use(node, (range, sink) => this.read(node, range, sink, call))
    return node
  }

  write(): Promise<never> {
    return readOnly()
  }

  makeDirectory(): Promise<never> {
    return readOnly()
  }

  remove(): Promise<never> {
    return readOnly()
  }

  copy(): Promise<never> {
    return readOnly()
  }

  move(): Promise<never> {
    return readOnly()
  }

  setModified(): Promise<never> {
    return readOnly()
  }

  changeProperties(): Promise<never> {
    return readOnly()
  }

  lock(): Promise<never> {
    return readOnly()
  }

  refreshLock(): Promise<never> {
    return readOnly()
  }

  unlock(): Promise<never> {
    return readOnly()
  }

  freeSpace(): Promise<undefined> {
    return Promise.resolve(undefined)
  }

  properties(): Promise<[]> {
    return Promise.resolve([])
  }

  propertiesInFolder(): Promise<ReadonlyMap<string, never>> {
    return Promise.resolve(new Map<string, never>())
  }

  locks(): Promise<[]> {
    return Promise.resolve([])
  }

  #handOut(node: Node): Node {
    this.#known.add(node)
    return node
  }

  /**
   * Each name below the shared folder must stand in the listing of the one above, and be no link: not every server tells so
   * when it is asked for one file.
   * @throws NO_SUCH_PATH
   */
  async #assertWithin(path: string, call: Call): Promise<void> {
    if (!contains(this.#root, path)) throw nothingThere()
    if (path === this.#root) return
    if (this.#kind === 'file') throw nothingThere()
    const parent = parentPath(path)
    await this.#assertWithin(parent, call)
    const { members } = await this.owner.list(parent, { signal: call.signal })
    const name = baseName(path)
    if (!members.some((member) => member.name === name && !member.symlink)) throw nothingThere()
  }
}

function nothingThere(): VfsError {
  return new VfsError('NO_SUCH_PATH', 'There is nothing by this name.')
}

function readOnly(): Promise<never> {
  return Promise.reject(new VfsError('READ_ONLY', 'You may read here, but not change anything.'))
}
