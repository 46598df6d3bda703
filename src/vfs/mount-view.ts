import type { Logger } from '../logger.js'
import type { Connections } from '../storage/connections.js'
import type { Connection, Entry, OperationOptions } from '../storage/driver.js'
import { isStorageError, StorageError } from '../storage/errors.js'
import { isWithin, joinRemote, nameOf, parentOf, resolveRemote } from '../storage/remote-path.js'
import type { ActiveOperations } from './active-operations.js'
import type { EntityTags } from './entity-tags.js'
import { VfsError } from './errors.js'
import { mutexKey, type KeyedMutex } from './keyed-mutex.js'
import type { LockTable } from './lock-table.js'
import type { HotFiles } from './hot-files.js'
import type { CachedFolder, MetadataCache, Seen, View } from './metadata-cache.js'
import type { Mount } from './mount.js'
import type { Node, NodeListing } from './node.js'
import type { PropertyStore, ResourceKey, UploadJournal } from './ports.js'
import type { RememberedListings } from './remembered-listings.js'
import { isTemporaryName } from './temporary-name.js'
import type { Call } from './tree.js'
import { childPath } from './virtual-path.js'

/** Bounds on operations over whole folders. */
export interface FolderLimits {
  readonly maxItems: number
  /** ms */
  readonly maxTime: number
}

/** What all trees share. */
export interface VfsParts {
  readonly connections: Connections
  readonly cache: MetadataCache
  readonly listings: RememberedListings
  readonly hot: HotFiles
  readonly locks: LockTable
  readonly properties: PropertyStore
  readonly journal: UploadJournal
  readonly tags: EntityTags
  readonly mutex: KeyedMutex
  readonly active: ActiveOperations
  readonly folderLimits: FolderLimits
  readonly log: Logger
  /** Wall clock, ms since the epoch. */
  readonly now: () => number
  /** Runs on evenly when the wall clock is set, ms. */
  readonly elapsed: () => number
}

/** A place on a server, as one mount reaches it. */
export interface Place {
  readonly view: MountView
  readonly key: ResourceKey
  /** Virtual path that was asked for. */
  readonly path: string
}

/** One mount seen from inside: where it starts on the server, and what is known of the files below. */
export class MountView {
  #start: Promise<{ namespace: string; base: string }> | undefined
  #cacheView: (View & { readonly base: string }) | undefined
  /** Whether connections can look at a file and open it at once. */
  #opensFiles = false

  constructor(
    readonly parts: VfsParts,
    readonly mount: Mount,
  ) {}

  /** The mount's own folder in the tree. */
  get root(): string {
    return childPath('/', this.mount.alias)
  }

  /**
   * Where the mount starts on its server; asks the server once if no login there is known. Without a signal: others may
   * wait for the same answer, and the deadlines of connecting bound it.
   */
  start(): Promise<{ namespace: string; base: string }> {
    this.#start ??= this.#findStart().catch((error: unknown) => {
      this.#start = undefined
      throw error
    })
    return this.#start
  }

  async #findStart(): Promise<{ namespace: string; base: string }> {
    const { account, homes, root } = this.mount
    const home = await this.parts.connections.home(account)
    const apart = homes === 'separate' || (homes === 'auto' && home === '/')
    const namespace = apart ? `${account.server.id}:${account.login.username}` : `${account.server.id}`
    const base = root === undefined ? resolveRemote('/', home) : resolveRemote(home, root)
    this.#cacheView = { namespace, base, accountKey: account.key }
    return { namespace, base }
  }

  /** Where `rest`, the segments below the mount, is on the server. */
  async place(rest: readonly string[]): Promise<Place> {
    const { namespace, base } = await this.start()
    const path = rest.reduce(childPath, this.root)
    for (const segment of rest) {
      if (isTemporaryName(segment)) throw new VfsError('NO_SUCH_PATH', 'There is nothing by this name.')
    }
    return { view: this, key: { namespace, path: joinRemote(base, ...rest) }, path }
  }

  /**
   * The virtual path of something on the server, for this user; what lies above the mount's start shows as the mount.
   * After `place()`.
   */
  knownVirtualPath(key: ResourceKey): string {
    const { base } = this.#known()
    if (!isWithin(base, key.path)) return this.root
    return key.path
      .slice(base === '/' ? 0 : base.length)
      .split('/')
      .filter((segment) => segment !== '')
      .reduce(childPath, this.root)
  }

  /** When the mount's own folder changed, as far as a listing told. */
  knownModified(): number | undefined {
    const known = this.#cacheView
    return known && this.parts.cache.folder(known, known.base)?.selfModified
  }

  /** What stands at a place, following links. @throws StorageError NOT_FOUND */
  async entry(place: Place, call: Call): Promise<Entry> {
    const entry = await this.find(place, call)
    if (entry === undefined) throw nothingThere()
    return entry
  }

  /** As `entry`, but undefined when nothing is there. */
  async find(place: Place, call: Call): Promise<Entry | undefined> {
    const view = this.#known()
    if (!call.fresh) {
      const known = this.parts.cache.entry(view, place.key.path)
      if (known !== undefined) return known === 'absent' ? undefined : known
    }
    const asked = this.parts.cache.writes(view)
    try {
      const look = (connection: Connection, options: OperationOptions) => {
        this.#opensFiles = connection.openFile !== undefined
        return connection.stat(place.key.path, options)
      }
      const entry = await this.metadata(look, call, true)
      this.parts.cache.learn(view, place.key.path, entry, asked)
      return entry
    } catch (error) {
      if (!isStorageError(error, 'NOT_FOUND', 'NOT_A_DIRECTORY')) throw error
      this.parts.cache.learn(view, place.key.path, undefined, asked)
      return undefined
    }
  }

  /**
   * What was a regular file when somebody looked, where the server can be asked for it and its bytes at once. A pipe that
   * took its place since then would hold up whoever opens it, until the deadline.
   */
  likelyFile({ key }: Place): Entry | undefined {
    const seen = this.#opensFiles ? this.remembered(key) : undefined
    return seen?.entry.type === 'file' ? seen.entry : undefined
  }

  /** What stood there when somebody looked, however long ago. */
  remembered({ path }: ResourceKey): Seen | undefined {
    return this.parts.cache.remembered(this.#known(), path)
  }

  /** To be told what turned out to stand at a place, by a look that begins now. */
  learner({ key }: Place): (entry: Entry) => void {
    const view = this.#known()
    const asked = this.parts.cache.writes(view)
    return (entry) => this.parts.cache.learn(view, key.path, entry, asked)
  }

  /**
   * Watches what stands at a place from now on. The returned function tells whether another version has come through the
   * gateway since, or may be coming.
   */
  watch({ key }: Place): () => boolean {
    const { tags, mutex } = this.parts
    const before = tags.savesOf(key)
    return () => mutex.isHeld(mutexKey(key)) || tags.savesOf(key) !== before
  }

  /** The folder at a place. @throws StorageError NOT_FOUND, NOT_A_DIRECTORY, DENIED */
  async folder(place: Place, call: Call): Promise<CachedFolder> {
    const view = this.#known()
    const known = call.fresh ? undefined : this.parts.cache.folder(view, place.key.path)
    if (known !== undefined) return known
    // Not the caller's signal: others may wait for the same listing, and it ends by the driver's deadline.
    return this.parts.cache.list(view, place.key.path, () =>
      this.parts.connections.use(
        this.mount.account,
        'metadata',
        async (connection) => {
          this.#opensFiles = connection.openFile !== undefined
          const listing = await connection.list(place.key.path)
          return { ...listing, entries: listing.entries.filter((entry) => !isTemporaryName(entry.name)) }
        },
        { repeatable: true },
      ),
    )
  }

  /**
   * The place whose name fits in another case or normal form, when the exact one is not there. Looks from the nearest
   * folder that is known, so that a probe in a folder just listed costs nothing.
   */
  async alike(place: Place, call: Call): Promise<Place> {
    const { base } = await this.start()
    const fold = FOLDS[call.names ?? 'exact']
    if (fold === undefined || place.key.path === base) return place
    let parent: Place = { ...place, key: { ...place.key, path: parentOf(place.key.path) } }
    let folder = this.parts.cache.folder(this.#known(), parent.key.path)
    if (folder === undefined) {
      parent = await this.alike(parent, call)
      try {
        folder = await this.folder(parent, call)
      } catch (error) {
        if (isStorageError(error, 'NOT_FOUND', 'NOT_A_DIRECTORY')) return place
        throw error
      }
    }
    const wanted = nameOf(place.key.path)
    const name = folder.entries.has(wanted) ? wanted : onlyMatch(folder.entries.keys(), wanted, fold)
    const key = { ...place.key, path: joinRemote(parent.key.path, name ?? wanted) }
    return { ...place, key, path: this.knownVirtualPath(key) }
  }

  /** A short question or change. `repeatable`: harmless to send twice. */
  metadata<T>(
    work: (connection: Connection, options: OperationOptions) => Promise<T>,
    call: { readonly signal: AbortSignal },
    repeatable = false,
  ): Promise<T> {
    const { signal } = call
    const { account } = this.mount
    return this.parts.connections.use(account, 'metadata', (connection) => work(connection, { signal }), {
      signal,
      repeatable,
    })
  }

  /**
   * Makes a folder. Where the answer was lost with a connection that had served before, it is asked for again, and a folder
   * that is there then is the one that was made.
   */
  async makeDirectory({ key: { path } }: Place, call: { readonly signal: AbortSignal }): Promise<void> {
    let tries = 0
    const make = async (connection: Connection, options: OperationOptions): Promise<void> => {
      tries++
      try {
        await connection.makeDirectory(path, options)
      } catch (error) {
        if (tries === 1 || !isStorageError(error, 'ALREADY_EXISTS')) throw error
        if ((await connection.stat(path, options)).type !== 'directory') throw error
      }
    }
    await this.metadata(make, call, true)
  }

  node(place: Place, entry: Entry): Node {
    return this.#node(place.path, place.key, entry)
  }

  /** The folder with its members; the same object for as long as nothing in it changes. */
  listing(place: Place, folder: CachedFolder): NodeListing {
    return this.parts.listings.of(folder, place.path, () => ({
      self: this.node(place, folderEntry(nameOf(place.path), folder.selfModified)),
      members: this.#members(place, folder),
    }))
  }

  #members(place: Place, folder: CachedFolder): Node[] {
    const nodes: Node[] = []
    const { namespace, path } = place.key
    const prefix = path === '/' ? '/' : path + '/'
    for (const entry of folder.entries.values()) {
      nodes.push(this.#node(childPath(place.path, entry.name), { namespace, path: prefix + entry.name }, entry))
    }
    return nodes
  }

  #node(path: string, key: ResourceKey, entry: Entry): Node {
    return {
      path,
      name: entry.name,
      type: entry.type === 'directory' ? 'directory' : 'file',
      symlink: entry.symlink,
      size: entry.size,
      modified: entry.modified,
      etag: this.parts.tags.of(key, entry),
    }
  }

  #known(): View & { readonly base: string } {
    if (this.#cacheView === undefined) throw new Error('place() comes first: it finds where the mount starts')
    return this.#cacheView
  }
}

export function nothingThere(): StorageError {
  return new StorageError('NOT_FOUND', 'There is nothing by this name.', { inStep: true })
}

/** A folder whose entry nobody listed: a mount's own, or one whose parent is not cached. */
export function folderEntry(name: string, modified: number | undefined): Entry {
  return { name, type: 'directory', symlink: false, size: 0, modified }
}

/** What makes two names alike, for each way of matching that is not exact. */
const FOLDS: Record<NonNullable<Call['names']>, ((name: string) => string) | undefined> = {
  exact: undefined,
  unicode: (name) => name.normalize('NFC'),
  'case-insensitive': (name) => name.normalize('NFC').toLowerCase(),
}

function onlyMatch(names: Iterable<string>, wanted: string, fold: (name: string) => string): string | undefined {
  const folded = fold(wanted)
  let found: string | undefined
  for (const name of names) {
    if (fold(name) !== folded) continue
    if (found !== undefined) return undefined
    found = name
  }
  return found
}
