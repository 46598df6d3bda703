import type { ByteRange, ByteSink, FreeSpace } from '../storage/driver.js'
import { isStorageError } from '../storage/errors.js'
import { endable } from './endable.js'
import { isVfsError, VfsError } from './errors.js'
import type { Mount, UserAccess } from './mount.js'
import type { Failure, Node, NodeListing } from './node.js'
import type { Client, OperationKind, OperationMount, OperationResult, TreeObserver, TreeOperation } from './observer.js'
import type { DeadProperty, PropertyChange } from './ports.js'
import type { Call, Guard, Lock, LockRequest, ReadOpened, Tree, WriteRequest } from './tree.js'
import { splitMount } from './virtual-path.js'

/** The codes by which somebody says no; every other one says that it could not be done. */
const REFUSALS: ReadonlySet<string> = new Set([
  'READ_ONLY',
  'MOUNT_IS_FIXED',
  'LOCKED',
  'LOCK_CONFLICT',
  'NOT_LOCK_OWNER',
  'REVOKED',
  'ENDED',
  'DENIED',
  'LOGIN_REJECTED',
])

/** What is still changing of a `TreeOperation`. */
type Running = { -readonly [K in keyof TreeOperation]: TreeOperation[K] }

interface About {
  readonly path: string
  readonly target?: string
  readonly total?: number | undefined
}

/**
 * A user's tree for one client: does what `tree` does, and tells the observers of each operation and how it ended. What
 * lasts as long as its bytes take can be ended from outside.
 */
export class ObservedTree implements Tree {
  readonly #mounts: ReadonlyMap<string, OperationMount>

  constructor(
    private readonly tree: Tree,
    access: UserAccess,
    private readonly client: Client,
    private readonly observers: readonly TreeObserver[],
    private readonly now: () => number = Date.now,
  ) {
    this.#mounts = mountsOf(access)
  }

  get userId(): number {
    return this.tree.userId
  }

  get username(): string {
    return this.tree.username
  }

  stat(path: string, call: Call): Promise<Node> {
    return this.#observe('stat', { path }, () => this.tree.stat(path, call))
  }

  list(path: string, call: Call): Promise<NodeListing> {
    return this.#observe('list', { path }, () => this.tree.list(path, call))
  }

  read(node: Node, range: ByteRange | undefined, sink: ByteSink, call: Call): Promise<void> {
    return this.#long('read', { path: node.path, total: lengthOf(node, range) }, call, (running, observed) =>
      this.tree.read(node, range, countedSink(running, sink), observed),
    )
  }

  /** Tells of a look and, where the file is read, of a read: as of the two calls that it stands for. */
  open(
    path: string,
    likely: (known: Node) => ByteRange | undefined,
    use: (node: Node, read: ReadOpened) => Promise<void>,
    call: Call,
  ): Promise<Node> {
    return this.#endable(call, async (observed, end) => {
      const look = this.#begin('stat', { path })
      let looked = false
      const found = () => {
        if (!looked) look.succeeded()
        looked = true
      }
      const opened = (node: Node, read: ReadOpened) => {
        found()
        return use(node, (range, sink) =>
          this.#observe(
            'read',
            { path: node.path, total: lengthOf(node, range) },
            (running) => read(range, countedSink(running, sink)),
            undefined,
            end,
          ),
        )
      }
      try {
        const node = await this.tree.open(path, likely, opened, observed)
        found()
        return node
      } catch (error) {
        if (!looked) look.failed(error)
        throw error
      }
    })
  }

  write(
    path: string,
    source: AsyncIterable<Uint8Array>,
    request: WriteRequest,
    call: Call,
  ): Promise<{ node: Node; created: boolean }> {
    return this.#long('write', { path, total: request.size }, call, (running, observed) =>
      this.tree.write(path, countedSource(running, source), request, observed),
    )
  }

  makeDirectory(path: string, guard: Guard, call: Call): Promise<Node> {
    return this.#observe('make-directory', { path }, () => this.tree.makeDirectory(path, guard, call))
  }

  remove(path: string, guard: Guard, call: Call): Promise<Failure[]> {
    const work = (_: Running, observed: Call) => this.tree.remove(path, guard, observed)
    return this.#long('remove', { path }, call, work, (failures) => failures)
  }

  copy(
    from: string,
    to: string,
    options: { overwrite: boolean; deep: boolean },
    guard: Guard,
    call: Call,
  ): Promise<{ created: boolean; failures: Failure[] }> {
    const work = (running: Running, observed: Call) =>
      this.tree.copy(from, to, options, guard, countedCall(running, observed))
    return this.#long('copy', { path: from, target: to }, call, work, ({ failures }) => failures)
  }

  move(
    from: string,
    to: string,
    options: { overwrite: boolean },
    guard: Guard,
    call: Call,
  ): Promise<{ created: boolean; failures: Failure[] }> {
    const work = (running: Running, observed: Call) =>
      this.tree.move(from, to, options, guard, countedCall(running, observed))
    return this.#long('move', { path: from, target: to }, call, work, ({ failures }) => failures)
  }

  setModified(path: string, modified: number, guard: Guard, call: Call): Promise<boolean> {
    return this.#observe('set-modified', { path }, () => this.tree.setModified(path, modified, guard, call))
  }

  freeSpace(path: string, call: Call): Promise<FreeSpace | undefined> {
    return this.tree.freeSpace(path, call)
  }

  properties(path: string): Promise<readonly DeadProperty[]> {
    return this.tree.properties(path)
  }

  propertiesInFolder(path: string): Promise<ReadonlyMap<string, readonly DeadProperty[]>> {
    return this.tree.propertiesInFolder(path)
  }

  changeProperties(path: string, changes: readonly PropertyChange[], guard: Guard, call: Call): Promise<void> {
    return this.#observe('change-properties', { path }, () => this.tree.changeProperties(path, changes, guard, call))
  }

  lock(path: string, request: LockRequest, call: Call): Promise<{ lock: Lock; created: boolean }> {
    return this.#observe('lock', { path }, () => this.tree.lock(path, request, call))
  }

  refreshLock(path: string, token: string, seconds: number | undefined): Promise<Lock> {
    return this.#observe('refresh-lock', { path }, () => this.tree.refreshLock(path, token, seconds))
  }

  unlock(path: string, token: string): Promise<void> {
    return this.#observe('unlock', { path }, () => this.tree.unlock(path, token))
  }

  locks(path: string): Promise<Lock[]> {
    return this.tree.locks(path)
  }

  #long<T>(
    kind: OperationKind,
    about: About,
    call: Call,
    work: (running: Running, call: Call) => Promise<T>,
    failuresOf?: (result: T) => readonly Failure[],
  ): Promise<T> {
    return this.#endable(call, (observed, end) =>
      this.#observe(kind, about, (running) => work(running, observed), failuresOf, end),
    )
  }

  /** With a signal of its own besides the caller's, by which the operation can be ended. */
  #endable<T>(call: Call, work: (call: Call, end: () => void) => Promise<T>): Promise<T> {
    return endable(call, (own) => work(own, () => own.end(new VfsError('ENDED', 'An administrator ended this.'))))
  }

  async #observe<T>(
    kind: OperationKind,
    about: About,
    work: (running: Running) => Promise<T>,
    failuresOf?: (result: T) => readonly Failure[],
    end?: () => void,
  ): Promise<T> {
    const operation = this.#begin(kind, about, end)
    try {
      const result = await work(operation.running)
      operation.succeeded((failuresOf?.(result).length ?? 0) > 0)
      return result
    } catch (error) {
      operation.failed(error)
      throw error
    }
  }

  #begin(kind: OperationKind, { path, target, total }: About, end?: () => void) {
    const startedAt = this.now()
    const { userId, username, client } = this
    const mount = this.#mountOf(path)
    const targetMount = target === undefined ? undefined : this.#mountOf(target)
    const who = { userId, username, client }
    const running: Running = { kind, ...who, path, target, mount, targetMount, startedAt, bytes: 0, total, end }
    for (const observer of this.observers) observer.started?.(running)
    const tell = (outcome: OperationResult['outcome'], code?: string) => {
      const result = { outcome, code, duration: Math.max(0, Math.round(this.now() - startedAt)) }
      for (const observer of this.observers) observer.ended?.(running, result)
    }
    return {
      running,
      succeeded: (partly = false) => (partly ? tell('failed', 'PARTIAL') : tell('ok')),
      failed: (error: unknown) => {
        const code = codeOf(error)
        tell(REFUSALS.has(code) ? 'refused' : 'failed', code)
      },
    }
  }

  #mountOf(path: string): OperationMount | undefined {
    const alias = splitMount(path)?.alias
    return alias === undefined ? undefined : this.#mounts.get(alias)
  }
}

/** One table per access, however many requests there are. */
const tables = new WeakMap<UserAccess, ReadonlyMap<string, OperationMount>>()

function mountsOf(access: UserAccess): ReadonlyMap<string, OperationMount> {
  let table = tables.get(access)
  if (table === undefined) {
    tables.set(access, (table = new Map(access.mounts.map((mount) => [mount.alias, operationMount(mount)]))))
  }
  return table
}

function operationMount({ permissionId, alias, account: { key, server, login } }: Mount): OperationMount {
  return { permissionId, serverId: server.id, alias, remoteUser: login.username, accountKey: key }
}

function codeOf(error: unknown): string {
  if (isStorageError(error) || isVfsError(error)) return error.code
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code
  return 'INTERNAL'
}

function lengthOf({ size }: Node, range: ByteRange | undefined): number {
  return range === undefined ? size : (range.end ?? size - 1) - range.start + 1
}

/** Counts what a copy has stored, and passes it on. */
function countedCall(running: Running, call: Call): Call {
  const onBytes = (bytes: number) => {
    running.bytes += bytes
    call.onBytes?.(bytes)
  }
  return Object.assign({}, call, { onBytes })
}

/** Counts what the sink has taken. */
function countedSink(running: Running, sink: ByteSink): ByteSink {
  return (chunk) => {
    const { length } = chunk
    const taken = sink(chunk)
    if (taken === undefined) {
      running.bytes += length
      return undefined
    }
    return taken.then(() => {
      running.bytes += length
    })
  }
}

function countedSource(running: Running, source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]() {
      const iterator = source[Symbol.asyncIterator]()
      return {
        async next() {
          const step = await iterator.next()
          if (!step.done) running.bytes += step.value.length
          return step
        },
        async return(value?: unknown) {
          return (await iterator.return?.(value)) ?? { done: true as const, value }
        },
      }
    },
  }
}
