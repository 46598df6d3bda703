import type { Entry } from '../driver.js'
import { StorageError } from '../errors.js'
import { isWithin, nameOf, parentOf } from '../remote-path.js'

interface Common {
  readonly id: number
  modified: number
  mode: number
}

interface MemoryFile extends Common {
  readonly type: 'file'
  /** What was appended, joined when somebody reads. */
  chunks: Buffer[]
  size: number
}

interface MemoryFolder extends Common {
  readonly type: 'directory'
  readonly children: Map<string, Item>
}

interface MemoryLink extends Common {
  readonly type: 'link'
  readonly target: string
}

type Item = MemoryFile | MemoryFolder | MemoryLink

const READ = 0o400
const WRITE = 0o200
const ENTER = 0o100
const MAX_LINKS = 8

/**
 * A file tree in memory with the rules of a server's file system: the owner's permission bits count, links lead on.
 * Operations happen at once, in one step each.
 */
export class MemoryTree {
  readonly #root: MemoryFolder
  #ids = 0
  #used = 0

  /** @param now milliseconds since the epoch */
  constructor(private readonly now: () => number) {
    this.#root = this.#folder()
  }

  stat(path: string): Entry {
    return this.#entry(this.#find(path), nameOf(path), path)
  }

  has(path: string): boolean {
    return this.#lookUp(path) !== undefined
  }

  /** Members in no particular order, and the folder's own time. */
  list(path: string): { selfModified: number; entries: Entry[] } {
    const folder = this.#folderAt(path)
    if (!(folder.mode & READ) || !(folder.mode & ENTER)) throw refuse('DENIED')
    const base = path === '/' ? '' : path
    const entries = [...folder.children].map(([name, item]) => this.#entry(item, name, `${base}/${name}`))
    return { selfModified: folder.modified, entries }
  }

  content(path: string): Buffer {
    const file = this.#file(path, READ)
    if (file.chunks.length !== 1) file.chunks = [Buffer.concat(file.chunks)]
    return Buffer.from(file.chunks[0] ?? [])
  }

  /** Creates or empties a file. */
  open(path: string, options: { exclusive: boolean; mode: number | undefined }): void {
    if (this.#lookUp(path) === undefined) {
      const file: MemoryFile = { ...this.#common(options.mode ?? 0o644), type: 'file', chunks: [], size: 0 }
      this.#attach(path, file)
      return
    }
    const file = this.#file(path, WRITE)
    if (options.exclusive) throw refuse('ALREADY_EXISTS')
    this.#used -= file.size
    file.chunks = []
    file.size = 0
    file.modified = this.now()
  }

  append(path: string, chunk: Uint8Array): void {
    const file = this.#file(path, WRITE)
    file.chunks.push(Buffer.from(chunk))
    file.size += chunk.length
    file.modified = this.now()
    this.#used += chunk.length
  }

  makeDirectory(path: string): void {
    if (path === '/' || this.#folderAt(parentOf(path)).children.has(nameOf(path))) throw refuse('ALREADY_EXISTS')
    this.#attach(path, this.#folder())
  }

  /** A symbolic link at `path`; `target` is absolute or relative to the folder that holds the link, without `..`. */
  makeLink(target: string, path: string): void {
    this.#attach(path, { ...this.#common(0o777), type: 'link', target })
  }

  removeFile(path: string): void {
    const item = this.#find(path, false)
    if (item.type === 'directory') throw refuse('IS_A_DIRECTORY')
    this.#detach(path)
    if (item.type === 'file') this.#used -= item.size
  }

  removeDirectory(path: string): void {
    const item = this.#find(path, false)
    if (item.type !== 'directory') throw refuse('NOT_A_DIRECTORY')
    if (item.children.size > 0) throw refuse('NOT_EMPTY')
    this.#detach(path)
  }

  rename(from: string, to: string, replaces: boolean): void {
    const item = this.#find(from, false)
    const there = this.#writableParent(to).children.get(nameOf(to))
    if (from === to) return
    if (isWithin(from, to)) throw refuse('DENIED')
    if (there !== undefined && (!replaces || there.type === 'directory' || item.type === 'directory')) {
      throw refuse('ALREADY_EXISTS')
    }
    this.#detach(from)
    if (there?.type === 'file') this.#used -= there.size
    this.#attach(to, item)
  }

  setModified(path: string, modified: number): void {
    this.#find(path).modified = modified
  }

  setMode(path: string, mode: number): void {
    this.#find(path).mode = mode & 0o7777
  }

  get usedBytes(): number {
    return this.#used
  }

  #entry(item: Item, name: string, path: string): Entry {
    const target = item.type === 'link' ? this.#lookUp(path) : item
    const { modified, mode, id } = target ?? item
    return {
      name,
      type: target === undefined || target.type === 'link' ? 'other' : target.type,
      symlink: this.#find(path, false).type === 'link',
      size: target?.type === 'file' ? target.size : 0,
      modified,
      mode,
      unique: String(id),
    }
  }

  #file(path: string, permission: number): MemoryFile {
    const item = this.#find(path)
    if (item.type === 'directory') throw refuse('IS_A_DIRECTORY')
    if (item.type !== 'file' || !(item.mode & permission)) throw refuse('DENIED')
    return item
  }

  #folderAt(path: string): MemoryFolder {
    const item = this.#find(path)
    if (item.type !== 'directory') throw refuse('NOT_A_DIRECTORY')
    return item
  }

  #writableParent(path: string): MemoryFolder {
    const parent = this.#folderAt(parentOf(path))
    if (path === '/' || !(parent.mode & WRITE) || !(parent.mode & ENTER)) throw refuse('DENIED')
    return parent
  }

  #lookUp(path: string): Item | undefined {
    try {
      return this.#find(path)
    } catch (error) {
      if (error instanceof StorageError && error.code === 'NOT_FOUND') return undefined
      throw error
    }
  }

  /** What stands at `path`; a link at the end is followed unless `follow` is false. */
  #find(path: string, follow = true, links = 0): Item {
    const segments = path.split('/').filter((segment) => segment !== '')
    let item: Item = this.#root
    for (const [index, segment] of segments.entries()) {
      if (item.type !== 'directory') throw refuse('NOT_FOUND')
      if (!(item.mode & ENTER)) throw refuse('DENIED')
      const child: Item | undefined = item.children.get(segment)
      if (child === undefined) throw refuse('NOT_FOUND')
      const last = index === segments.length - 1
      if (child.type !== 'link' || (last && !follow)) {
        item = child
        continue
      }
      if (links === MAX_LINKS) throw refuse('NOT_FOUND')
      const base = child.target.startsWith('/') ? [] : segments.slice(0, index)
      const target = child.target.split('/').filter((part) => part !== '' && part !== '.')
      item = this.#find('/' + [...base, ...target].join('/'), true, links + 1)
    }
    return item
  }

  #attach(path: string, item: Item): void {
    const parent = this.#writableParent(path)
    parent.children.set(nameOf(path), item)
    parent.modified = this.now()
  }

  #detach(path: string): void {
    const parent = this.#writableParent(path)
    parent.children.delete(nameOf(path))
    parent.modified = this.now()
  }

  #folder(): MemoryFolder {
    return { ...this.#common(0o755), type: 'directory', children: new Map() }
  }

  #common(mode: number): Common {
    return { id: ++this.#ids, modified: this.now(), mode }
  }
}

const MESSAGES = {
  NOT_FOUND: 'There is nothing by this name.',
  ALREADY_EXISTS: 'Something by this name exists.',
  NOT_A_DIRECTORY: 'It is not a folder.',
  IS_A_DIRECTORY: 'It is a folder.',
  NOT_EMPTY: 'The folder is not empty.',
  DENIED: 'This is not allowed.',
} as const

/** An error of this server, whose answers are always in order. */
function refuse(code: keyof typeof MESSAGES): StorageError {
  return new StorageError(code, MESSAGES[code], { inStep: true })
}
