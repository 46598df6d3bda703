import type { ByteRange, ByteSink, Connection, Entry, FreeSpace } from '../storage/driver.js'
import { isStorageError, StorageError } from '../storage/errors.js'
import { isWithin, nameOf, parentOf } from '../storage/remote-path.js'
import type { ActiveOperation } from './active-operations.js'
import { isVfsError, VfsError } from './errors.js'
import { FolderBudget } from './folder-budget.js'
import { mutexKey } from './keyed-mutex.js'
import type { Change } from './lock-table.js'
import { lookAt } from './look-at.js'
import type { UserAccess } from './mount.js'
import { folderEntry, MountView, nothingThere, type Place, type VfsParts } from './mount-view.js'
import type { Failure, Node, NodeListing } from './node.js'
import type { DeadProperty, LockRecord, PropertyChange, ResourceKey } from './ports.js'
import { openFile } from './open-file.js'
import { readFile } from './read-file.js'
import { relocate } from './relocate.js'
import { removeTree, type RemoveTreeOptions } from './remove-tree.js'
import type { Copy } from './transfer.js'
import type { Call, Guard, Lock, LockRequest, ReadOpened, Tree, WriteRequest } from './tree.js'
import type { Uploads } from './uploads.js'
import { splitMount } from './virtual-path.js'
import { writeFile } from './write-file.js'

const ROOT: Node = {
  path: '/',
  name: '',
  type: 'directory',
  symlink: false,
  size: 0,
  modified: undefined,
  etag: undefined,
}

/** A file that others replace again and again is opened so often. */
const OPENED_AT_MOST = 3

/** The tree of one user with what was permitted when it was made: a change of permissions makes a new one. */
export class UserTree implements Tree {
  readonly userId: number
  readonly username: string
  readonly #views: ReadonlyMap<string, MountView>

  constructor(
    private readonly parts: VfsParts,
    private readonly uploads: Uploads,
    private readonly access: UserAccess,
  ) {
    this.userId = access.userId
    this.username = access.username
    this.#views = new Map(access.mounts.map((mount) => [mount.alias, new MountView(parts, mount)]))
  }

  async stat(path: string, call: Call): Promise<Node> {
    if (path === '/') return ROOT
    const view = this.#view(path)
    if (path === view.root) return this.#mountNode(view)
    const place = await this.#place(path)
    const entry = await view.find(place, call)
    if (entry !== undefined) return view.node(place, entry)
    const alike = await view.alike(place, call)
    if (alike.key.path === place.key.path) throw nothingThere()
    return view.node(alike, await view.entry(alike, call))
  }

  async list(path: string, call: Call): Promise<NodeListing> {
    if (path === '/') {
      return { self: ROOT, members: [...this.#views.values()].map((view) => this.#mountNode(view)) }
    }
    const view = this.#view(path)
    let place = await this.#place(path)
    let folder
    try {
      folder = await view.folder(place, call)
    } catch (error) {
      if (!isStorageError(error, 'NOT_FOUND')) throw error
      const alike = await view.alike(place, call)
      if (alike.key.path === place.key.path) throw error
      place = alike
      folder = await view.folder(place, call)
    }
    return view.listing(place, folder)
  }

  async read(node: Node, range: ByteRange | undefined, sink: ByteSink, call: Call): Promise<void> {
    const { place } = await this.#existing(node.path, call)
    await this.#run('read', place.path, { reads: [place] }, call, (signal) =>
      readFile(place, node, range, sink, { ...call, signal }),
    )
  }

  async open(
    path: string,
    likely: (known: Node) => ByteRange | undefined,
    use: (node: Node, read: ReadOpened) => Promise<void>,
    call: Call,
  ): Promise<Node> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#openOnce(path, likely, use, call)
      } catch (error) {
        if (tries === OPENED_AT_MOST || !isVfsError(error, 'CHANGED')) throw error
      }
    }
  }

  async #openOnce(...[path, likely, use, call]: Parameters<Tree['open']>): Promise<Node> {
    if (path === '/') return ROOT
    let place = await this.#place(path)
    const hot = await this.#hotFile(place, call)
    if (hot !== undefined) {
      await use(hot.node, hot.read)
      return hot.node
    }
    const keeping = (node: Node, read: ReadOpened) => use(node, this.#keepWhenHot(place, node, read))
    let known = place.view.likelyFile(place)
    let node: Node | undefined
    if (known === undefined) {
      node = await this.stat(path, { ...call, fresh: true })
      if (node.type !== 'file') return node
      place = await this.#place(node.path)
      known = place.view.likelyFile(place)
    }
    if (known !== undefined) {
      const range = likely(place.view.node(place, known)) ?? { start: 0, end: known.size - 1 }
      const hints = { likely: range, symlink: known.symlink }
      const opened = await this.#run('read', place.path, { reads: [place] }, call, (signal) =>
        openFile(place, hints, keeping, { ...call, signal }),
      )
      if (opened !== undefined) return opened
      node = undefined
    }
    node ??= await this.stat(path, { ...call, fresh: true })
    const seen = { ...call, fresh: false }
    if (node.type === 'file') await keeping(node, (range, sink) => this.read(node, range, sink, seen))
    return node
  }

  /** A file whose bytes are in memory, where what stands there now is that version of it. */
  async #hotFile(place: Place, call: Call): Promise<{ node: Node; read: ReadOpened } | undefined> {
    const { hot } = this.parts
    const { view, key } = place
    const account = view.mount.account.key
    if (!hot.has(account, key)) return undefined
    const entry = await view.find(place, call)
    const node = entry && view.node(place, entry)
    const bytes = node && hot.bytesOf(account, key, node)
    return bytes && { node, read: async (range, sink) => sink(partOf(bytes, range)) }
  }

  /** Reads, and keeps what was read where the file is small and was seen before. */
  #keepWhenHot({ view, key }: Place, node: Node, read: ReadOpened): ReadOpened {
    return async (range, sink) => {
      const whole = range === undefined
      const keep = whole ? this.parts.hot.keeper(view.mount.account.key, key, node, view.remembered(key)) : undefined
      if (keep === undefined) return read(range, sink)
      const bytes = Buffer.allocUnsafeSlow(node.size)
      let filled = 0
      await read(range, (chunk) => {
        filled += chunk.copy(bytes, filled)
        return sink(chunk)
      })
      if (filled === node.size) keep(bytes)
    }
  }

  async write(
    path: string,
    source: AsyncIterable<Uint8Array>,
    request: WriteRequest,
    call: Call,
  ): Promise<{ node: Node; created: boolean }> {
    const { place, entry: before } = await this.#target(path, call)
    this.#mayChange(place)
    if (before?.type === 'directory') throw new VfsError('IS_COLLECTION', 'A folder stands there.')
    const check = (current: Entry | undefined) => {
      this.#assertUnlocked(place, current === undefined ? 'add' : 'modify', request)
      request.check?.(current && place.view.node(place, current))
    }
    check(before)
    return this.#run('write', place.path, { writes: [place] }, call, async (signal) => {
      const entry = await writeFile(this.uploads, { place, source, before, request, check }, { ...call, signal })
      return { node: place.view.node(place, entry), created: before === undefined }
    })
  }

  async makeDirectory(path: string, guard: Guard, call: Call): Promise<Node> {
    const { place, entry } = await this.#target(path, call)
    this.#mayChange(place)
    guard.check?.(entry && place.view.node(place, entry))
    if (entry !== undefined) throw new VfsError('TARGET_EXISTS', 'Something by this name stands there already.')
    this.#assertUnlocked(place, 'add', guard)
    try {
      await place.view.makeDirectory(place, call)
    } catch (error) {
      this.parts.cache.forget(place.key)
      if (isStorageError(error, 'NOT_FOUND', 'NOT_A_DIRECTORY')) throw parentMissing(error)
      if (isStorageError(error, 'ALREADY_EXISTS')) {
        throw new VfsError('TARGET_EXISTS', 'Something by this name stands there already.', { cause: error })
      }
      throw error
    }
    const made = folderEntry(nameOf(place.key.path), this.parts.now())
    this.parts.cache.written(place.key, made)
    return place.view.node(place, made)
  }

  async remove(path: string, guard: Guard, call: Call): Promise<Failure[]> {
    const { place, entry } = await this.#existing(path, call)
    this.#mayChange(place)
    guard.check?.(place.view.node(place, entry))
    this.#assertUnlocked(place, 'remove', guard)
    return this.#run('remove', place.path, { writes: [place] }, call, (signal) =>
      this.#removeAt(place, entry, guard, { ...call, signal }),
    )
  }

  /** @param copied only these files may go, if they are still what was copied: the source of a move */
  async #removeAt(
    place: Place,
    entry: Entry,
    guard: Guard,
    call: Call,
    copied?: ReadonlyMap<string, string | undefined>,
  ): Promise<Failure[]> {
    const { connections, cache, locks, properties } = this.parts
    const deep = entry.type === 'directory' && !entry.symlink
    const failures: Failure[] = []
    const onFailure = (remote: string, error: Error) => {
      failures.push({ path: place.path + remote.slice(place.key.path.length), error })
    }
    const options = {
      signal: call.signal,
      ...(deep ? { budget: this.#budget() } : {}),
      ...(deep || copied ? { onFailure } : {}),
      removeFile: this.#fileRemover(place, deep, guard, call, copied),
    }
    try {
      await connections.use(
        place.view.mount.account,
        deep ? 'transfer' : 'metadata',
        (connection) => {
          failures.length = 0
          return removeTree(connection, place.key.path, options, copied ? undefined : entry)
        },
        // What is gone already is fine.
        { signal: call.signal, repeatable: true },
      )
    } catch (error) {
      // Some of it may be gone: whoever looks next asks the server.
      cache.forget(place.key)
      throw error
    }
    if (failures.length > 0) {
      cache.forget(place.key)
      return failures
    }
    cache.removed(place.key, deep)
    await locks.removeWithin(place.key)
    await properties.remove(place.key)
    return failures
  }

  /**
   * Removes one file after another look at whether it may go, with nobody's new version coming in between: the wait for a
   * connection, and whatever was removed before it, may have taken their time.
   */
  #fileRemover(
    place: Place,
    deep: boolean,
    guard: Guard,
    { signal }: Call,
    copied: ReadonlyMap<string, string | undefined> | undefined,
  ): NonNullable<RemoveTreeOptions['removeFile']> {
    const { mutex, locks, tags } = this.parts
    const { namespace } = place.key
    let asked = false
    const assertMayGo = async (connection: Connection, key: ResourceKey): Promise<void> => {
      const blocking = locks.blocking(key, 'remove', guard.lockTokens, this.userId)
      if (blocking.length > 0) throw this.#lockError('LOCKED', place, blocking)
      const conditional = !deep && guard.check !== undefined
      if (copied === undefined && !conditional) return
      const current = await lookAt(connection, key.path)
      if (current === undefined && (copied !== undefined || asked)) return
      if (copied === undefined) guard.check?.(current && place.view.node(place, current))
      else if (!copied.has(key.path) || copied.get(key.path) !== (current && tags.of(key, current))) {
        throw new VfsError('PRECONDITION_FAILED', 'It changed while it was copied, and stays.')
      }
    }
    return (connection, path) => {
      const key = { namespace, path }
      return mutex.run(mutexKey(key), async () => {
        await assertMayGo(connection, key)
        asked = true
        await connection.removeFile(path, { signal })
      })
    }
  }

  async copy(
    from: string,
    to: string,
    options: { overwrite: boolean; deep: boolean },
    guard: Guard,
    call: Call,
  ): Promise<{ created: boolean; failures: Failure[] }> {
    return this.#relocate('copy', from, to, options, guard, call)
  }

  async move(
    from: string,
    to: string,
    options: { overwrite: boolean },
    guard: Guard,
    call: Call,
  ): Promise<{ created: boolean; failures: Failure[] }> {
    return this.#relocate('move', from, to, { deep: true, ...options }, guard, call)
  }

  async #relocate(
    kind: 'copy' | 'move',
    from: string,
    to: string,
    options: { overwrite: boolean; deep: boolean },
    guard: Guard,
    call: Call,
  ): Promise<{ created: boolean; failures: Failure[] }> {
    const source = await this.#existing(from, call)
    if (kind === 'move') this.#mayChange(source.place)
    guard.check?.(source.place.view.node(source.place, source.entry))
    const target = await this.#target(to, call)
    this.#mayChange(target.place)
    const judge = (current: Entry | undefined) => {
      if (current !== undefined && !options.overwrite) {
        throw new VfsError('TARGET_EXISTS', 'The target exists, and it is not to be replaced.')
      }
      this.#assertUnlocked(target.place, changeAt(current), guard)
    }
    if (overlap(source.place.key, target.place.key)) {
      throw new VfsError('OVERLAP', 'Source and target are the same, or one lies inside the other.')
    }
    judge(target.entry)
    await this.#parentExists(target.place, call)
    if (kind === 'move') this.#assertUnlocked(source.place, 'remove', guard)

    const places =
      kind === 'move' ? { writes: [source.place, target.place] } : { reads: [source.place], writes: [target.place] }
    return this.#run(kind, source.place.path, places, call, async (signal) => {
      const failures: Failure[] = []
      const moving = { ...call, signal }
      const copied = new Map<string, string | undefined>()
      const copy: Copy = { uploads: this.uploads, call: moving, budget: this.#budget(), failures, copied }
      await relocate(kind, copy, source, { judge, ...target }, options.deep, () =>
        this.#removeAt(source.place, source.entry, { lockTokens: guard.lockTokens }, moving, copied),
      )
      return { created: target.entry === undefined, failures }
    })
  }

  async setModified(path: string, modified: number, guard: Guard, call: Call): Promise<boolean> {
    const { place, entry } = await this.#existing(path, call)
    this.#mayChange(place)
    guard.check?.(place.view.node(place, entry))
    this.#assertUnlocked(place, 'modify', guard)
    if (entry.type === 'directory') return false
    const { view, key } = place
    const now = await view.metadata(
      async (connection, options) => {
        if (connection.setModified === undefined) return undefined
        await connection.setModified(key.path, modified, options)
        return connection.stat(key.path, options)
      },
      call,
      true,
    )
    if (now === undefined) return false
    this.parts.tags.saved(key, entry, now)
    this.parts.cache.written(key, now)
    return true
  }

  async freeSpace(path: string, call: Call): Promise<FreeSpace | undefined> {
    if (path === '/') return undefined
    const place = await this.#place(path)
    return place.view.metadata(
      async (connection, options) => connection.freeSpace?.(place.key.path, options),
      call,
      true,
    )
  }

  async properties(path: string): Promise<readonly DeadProperty[]> {
    if (path === '/') return []
    const { key } = await this.#place(path)
    return this.parts.properties.of(key)
  }

  async propertiesInFolder(path: string): Promise<ReadonlyMap<string, readonly DeadProperty[]>> {
    if (path === '/') return new Map()
    const { key } = await this.#place(path)
    const found = new Map<string, readonly DeadProperty[]>()
    for (const [remote, properties] of await this.parts.properties.inFolder(key)) {
      const rest = remote.slice(key.path === '/' ? 0 : key.path.length)
      found.set(remote === key.path ? path : path + rest, properties)
    }
    return found
  }

  async changeProperties(path: string, changes: readonly PropertyChange[], guard: Guard, call: Call): Promise<void> {
    const { place, entry } = await this.#existing(path, call)
    this.#mayWrite(place)
    guard.check?.(place.view.node(place, entry))
    this.#assertUnlocked(place, 'modify', guard)
    await this.parts.properties.change(place.key, changes)
  }

  async lock(path: string, request: LockRequest, call: Call): Promise<{ lock: Lock; created: boolean }> {
    const { place, entry } = await this.#target(path, call)
    this.#mayWrite(place)
    request.check?.(entry && place.view.node(place, entry))
    const wanted = { ...place.key, depth: request.depth, scope: request.scope }
    this.#assertLockable(place, wanted)
    const created = entry === undefined && (await this.#createEmpty(path, request, call))
    if (entry === undefined) this.#assertLockable(place, wanted)
    const { ownerXml, seconds } = request
    const lock = await this.parts.locks.create({ ...wanted, userId: this.userId, ownerXml, seconds })
    return { lock: this.#show(place, lock), created }
  }

  /**
   * RFC 4918 section 7.3: locking an unmapped URL makes an empty resource. What came to stand there behind a cached listing
   * stays as it is.
   * @returns false when something is there
   */
  async #createEmpty(path: string, { lockTokens, check }: LockRequest, call: Call): Promise<boolean> {
    const onlyNew = (current: Node | undefined) => {
      check?.(current)
      if (current !== undefined) throw new VfsError('TARGET_EXISTS', 'Something by this name stands there already.')
    }
    try {
      await this.write(path, empty(), { lockTokens, size: 0, conditional: true, check: onlyNew }, call)
      return true
    } catch (error) {
      if (isVfsError(error, 'TARGET_EXISTS')) return false
      throw error
    }
  }

  async refreshLock(path: string, token: string, seconds: number | undefined): Promise<Lock> {
    const place = await this.#place(path)
    const lock = this.#ownLock(place, token)
    return this.#show(place, await this.parts.locks.refresh(lock, seconds))
  }

  async unlock(path: string, token: string): Promise<void> {
    const place = await this.#place(path)
    await this.parts.locks.remove([this.#ownLock(place, token)])
  }

  async locks(path: string): Promise<Lock[]> {
    // Nothing is locked anywhere: no server need tell where the login lands.
    if (path === '/' || this.parts.locks.size === 0) return []
    const place = await this.#place(path)
    return this.parts.locks.covering(place.key).map((lock) => this.#show(place, lock))
  }

  /** The view that a path belongs to. @throws NO_SUCH_PATH */
  #view(path: string): MountView {
    const view = this.#views.get(splitMount(path)?.alias ?? '')
    if (view === undefined) throw new VfsError('NO_SUCH_PATH', 'There is nothing by this name.')
    return view
  }

  #place(path: string): Promise<Place> {
    if (path === '/')
      throw new VfsError('MOUNT_IS_FIXED', 'The top folder lists the servers; it cannot be changed here.')
    return this.#view(path).place(splitMount(path)?.rest ?? [])
  }

  #mountNode(view: MountView): Node {
    return { ...ROOT, path: view.root, name: view.mount.alias, modified: view.knownModified() }
  }

  /** Place and entry of what is there, under a name that fits. @throws NOT_FOUND */
  async #existing(path: string, call: Call): Promise<{ place: Place; entry: Entry }> {
    const { place, entry } = await this.#target(path, call)
    if (entry === undefined) throw new StorageError('NOT_FOUND', 'There is nothing by this name.', { inStep: true })
    return { place, entry }
  }

  /** Place for a change, and what stands there. */
  async #target(path: string, call: Call): Promise<{ place: Place; entry: Entry | undefined }> {
    const place = await this.#place(path)
    if (path === place.view.root) return { place, entry: folderEntry('', undefined) }
    const entry = await place.view.find(place, call)
    if (entry !== undefined) return { place, entry }
    const alike = await place.view.alike(place, call)
    return { place: alike, entry: alike.key.path === place.key.path ? undefined : await alike.view.find(alike, call) }
  }

  async #parentExists(place: Place, call: Call): Promise<void> {
    const parent: Place = { ...place, key: { ...place.key, path: parentOf(place.key.path) } }
    const { base } = await place.view.start()
    if (parent.key.path === base) return
    const entry = await place.view.find(parent, call)
    if (entry?.type !== 'directory') throw parentMissing()
  }

  /** @throws READ_ONLY */
  #mayWrite({ view }: Place): void {
    if (view.mount.access === 'read-only')
      throw new VfsError('READ_ONLY', 'You may read here, but not change anything.')
  }

  /** @throws READ_ONLY, MOUNT_IS_FIXED */
  #mayChange(place: Place): void {
    if (place.path === place.view.root) {
      throw new VfsError('MOUNT_IS_FIXED', 'A server folder itself is the administrator’s to change.')
    }
    this.#mayWrite(place)
  }

  /** @throws LOCKED */
  #assertUnlocked(place: Place, change: Change, { lockTokens }: Pick<Guard, 'lockTokens'>): void {
    const blocking = this.parts.locks.blocking(place.key, change, lockTokens, this.userId)
    if (blocking.length > 0) throw this.#lockError('LOCKED', place, blocking)
  }

  /** @throws LOCK_CONFLICT */
  #assertLockable(place: Place, wanted: Parameters<VfsParts['locks']['conflicting']>[0]): void {
    const conflicting = this.parts.locks.conflicting(wanted)
    if (conflicting.length > 0) throw this.#lockError('LOCK_CONFLICT', place, conflicting)
  }

  #lockError(code: 'LOCKED' | 'LOCK_CONFLICT', place: Place, locks: readonly LockRecord[]): VfsError {
    const paths = locks.map((lock) => place.view.knownVirtualPath(lock))
    return new VfsError(code, 'It is locked.', { paths: [...new Set(paths)] })
  }

  #ownLock(place: Place, token: string): LockRecord {
    const lock = this.parts.locks.find(place.key, token)
    if (lock.userId !== this.userId) throw new VfsError('NOT_LOCK_OWNER', 'The lock belongs to another user.')
    return lock
  }

  #show({ view }: Place, lock: LockRecord): Lock {
    const { token, depth, scope, userId, ownerXml } = lock
    const secondsLeft = this.parts.locks.secondsLeft(lock)
    return { token, root: view.knownVirtualPath(lock), depth, scope, userId, ownerXml, secondsLeft }
  }

  #run<T>(
    kind: ActiveOperation['kind'],
    path: string,
    places: { readonly reads?: readonly Place[]; readonly writes?: readonly Place[] },
    call: Call,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const ids = (some: readonly Place[] = []) => some.map((place) => place.view.mount.permissionId)
    const needs = { reads: ids(places.reads), writes: ids(places.writes) }
    const { userId, credential } = this.access
    const operation = { userId, credential, ...needs, kind, path, startedAt: this.parts.now() }
    return this.parts.active.run(operation, call, work)
  }

  #budget(): FolderBudget {
    return new FolderBudget(this.parts.folderLimits, this.parts.elapsed)
  }
}

/** What replacing the target means to the locks around it. */
function changeAt(entry: Entry | undefined): Change {
  if (entry === undefined) return 'add'
  return entry.type === 'directory' ? 'remove' : 'modify'
}

function overlap(a: ResourceKey, b: ResourceKey): boolean {
  return a.namespace === b.namespace && (isWithin(a.path, b.path) || isWithin(b.path, a.path))
}

function partOf(bytes: Buffer, range: ByteRange | undefined): Buffer {
  if (range === undefined) return bytes
  return bytes.subarray(range.start, range.end === undefined ? undefined : range.end + 1)
}

function parentMissing(cause?: unknown): VfsError {
  return new VfsError('PARENT_MISSING', 'The folder that should hold it is not there.', { cause })
}

async function* empty(): AsyncGenerator<Uint8Array> {
  // An empty file.
}
