import type { ByteRange, ByteSink, FreeSpace } from '../storage/driver.js'
import type { Failure, Node, NodeListing } from './node.js'
import type { DeadProperty, LockScope, PropertyChange } from './ports.js'

/**
 * How a name that is not there exactly is looked up: `unicode` also finds it in another normal form (macOS),
 * `case-insensitive` in another case (Windows), where just one entry fits.
 */
export type NameMatching = 'exact' | 'unicode' | 'case-insensitive'

export interface Call {
  /** Fires when whoever asked is gone. */
  readonly signal: AbortSignal
  /** Fires `signal` with a reason; absent where the call gets a signal of its own for that. */
  readonly end?: (reason: Error) => void
  /** Ask the server even where a fresh listing is cached. */
  readonly fresh?: boolean
  readonly names?: NameMatching
  /** Told of the bytes that a copy or a move across servers has stored, as they go. */
  readonly onBytes?: (bytes: number) => void
}

/** What the caller brings for a change. */
export interface Guard {
  /** Lock tokens that the caller submitted. Every write lock in the way must be among them and be the user's own. */
  readonly lockTokens: ReadonlySet<string>
  /**
   * Judges the resource as it is now (undefined: not there) and throws to refuse: for COPY and MOVE the source, else what
   * is about to change. Called before anything changes and, for a `conditional` upload, again just before the rename.
   */
  readonly check?: (current: Node | undefined) => void
}

export interface WriteRequest extends Guard {
  /** `check` depends on the state of the target: it is looked up and judged again before the rename. */
  readonly conditional?: boolean
  /** Bytes that the source must yield, when announced. */
  readonly size?: number | undefined
  /** Modification time to set, ms since the epoch. */
  readonly modified?: number | undefined
}

/** A lock as one user sees it. */
export interface Lock {
  readonly token: string
  /** Virtual path of the lock's root in this user's tree. */
  readonly root: string
  readonly depth: '0' | 'infinity'
  readonly scope: LockScope
  readonly userId: number
  readonly ownerXml: string
  /** Whole seconds until it expires. */
  readonly secondsLeft: number
}

export interface LockRequest {
  readonly depth: '0' | 'infinity'
  readonly scope: LockScope
  readonly ownerXml: string
  /** Wanted seconds; undefined: as long as allowed. */
  readonly seconds: number | undefined
  /** As in `Guard`: judged before a missing file is created. */
  readonly check?: (current: Node | undefined) => void
  readonly lockTokens: ReadonlySet<string>
}

/** Feeds `sink` with a range of the file that `open` has opened, as `Tree.read` does. Once. */
export type ReadOpened = (range: ByteRange | undefined, sink: ByteSink) => Promise<void>

/**
 * One user's tree: `/` holds the mounts, `/<alias>/…` is on that server. Paths are virtual paths (`virtual-path.ts`).
 * Errors: `VfsError`s of its own and `StorageError`s from below; NOT_FOUND of storage and NO_SUCH_PATH both mean that
 * nothing is there. `/` and the mounts' names never need a server.
 */
export interface Tree {
  readonly userId: number
  readonly username: string

  stat(path: string, call: Call): Promise<Node>
  /** @throws NOT_A_DIRECTORY for a file */
  list(path: string, call: Call): Promise<NodeListing>

  /**
   * Feeds `sink` with `range` of the file that `node` (just returned by `stat`) describes.
   * Resolves only when all announced bytes came; a shorter file is PROTOCOL, another version CHANGED before its first byte.
   */
  read(node: Node, range: ByteRange | undefined, sink: ByteSink, call: Call): Promise<void>

  /**
   * Looks at what is there now and, if it is a file, lets `use` read it: `stat` and `read` in fewer questions to the server,
   * where it can. What `use` is told is true of the bytes that it reads.
   * @param likely which part of a file will be asked for, by what was known of it before
   * @param use is not called with a folder; called again when another version came before its first byte
   * @returns what is there
   * @throws as `stat` and `read`, and what `use` throws; CHANGED when that happens again and again
   */
  open(
    path: string,
    likely: (known: Node) => ByteRange | undefined,
    use: (node: Node, read: ReadOpened) => Promise<void>,
    call: Call,
  ): Promise<Node>

  /**
   * Stores a file atomically: readers see the old one whole or the new one whole, and the new one is on the server's disk
   * under its name when this resolves.
   * @throws IS_COLLECTION, PARENT_MISSING, READ_ONLY, LOCKED, SHORT_BODY, NO_SPACE, whatever `check` throws
   */
  write(
    path: string,
    source: AsyncIterable<Uint8Array>,
    request: WriteRequest,
    call: Call,
  ): Promise<{ node: Node; created: boolean }>

  /** @throws TARGET_EXISTS, PARENT_MISSING, … */
  makeDirectory(path: string, guard: Guard, call: Call): Promise<Node>

  /** Removes a file or a whole folder; symbolic links are removed, not followed. @returns members that stayed */
  remove(path: string, guard: Guard, call: Call): Promise<Failure[]>

  /**
   * @param options.deep false: a folder without its members (Depth: 0)
   * @throws TARGET_EXISTS (`overwrite` false), OVERLAP, PARENT_MISSING, LOCKED
   */
  copy(
    from: string,
    to: string,
    options: { overwrite: boolean; deep: boolean },
    guard: Guard,
    call: Call,
  ): Promise<{ created: boolean; failures: Failure[] }>

  /** As `copy` deep, and the source is gone afterwards; it goes only after the copy was verified. */
  move(
    from: string,
    to: string,
    options: { overwrite: boolean },
    guard: Guard,
    call: Call,
  ): Promise<{ created: boolean; failures: Failure[] }>

  /** @returns false where the server cannot set it */
  setModified(path: string, modified: number, guard: Guard, call: Call): Promise<boolean>

  /** Undefined where the server does not tell, and for `/`. */
  freeSpace(path: string, call: Call): Promise<FreeSpace | undefined>

  /** Dead properties of a resource. */
  properties(path: string): Promise<readonly DeadProperty[]>
  /** Dead properties of a folder and its direct members, by virtual path. */
  propertiesInFolder(path: string): Promise<ReadonlyMap<string, readonly DeadProperty[]>>
  changeProperties(path: string, changes: readonly PropertyChange[], guard: Guard, call: Call): Promise<void>

  /**
   * Locks a file or folder; a name that is not there becomes an empty file first.
   * @throws LOCK_CONFLICT with the roots in the way, PARENT_MISSING, TOO_MANY_LOCKS
   */
  lock(path: string, request: LockRequest, call: Call): Promise<{ lock: Lock; created: boolean }>
  /** @throws NO_SUCH_LOCK, NOT_LOCK_OWNER */
  refreshLock(path: string, token: string, seconds: number | undefined): Promise<Lock>
  /** @throws NO_SUCH_LOCK, NOT_LOCK_OWNER */
  unlock(path: string, token: string): Promise<void>
  /** Locks that cover a resource: its own and those of depth infinity above. */
  locks(path: string): Promise<Lock[]>
}
