import { LRUCache } from 'lru-cache'
import { messageOf } from '../errors.js'
import type { Usage, UsageChange } from '../db/stores/usage-store.js'
import type { Logger } from '../logger.js'
import type { ConnectionEvent } from '../storage/connection-events.js'
import type { OperationMount, OperationResult, TreeObserver, TreeOperation } from '../vfs/observer.js'

export interface UsageStore {
  save(changes: readonly UsageChange[]): Promise<void>
  of(permissionIds: readonly number[]): Promise<Map<number, Usage>>
}

export interface PermissionUsageOptions {
  readonly store: UsageStore
  readonly log: Pick<Logger, 'warn'>
  readonly now?: () => number
  /** Milliseconds between two writes. */
  readonly saveEvery?: number
  /** Milliseconds until a rejected login, or that it works again, is written. */
  readonly tellAfter?: number
}

interface Pending {
  lastUsedAt: number | undefined
  loginRejectedAt: number | null | undefined
}

const KNOWN_ACCOUNTS = 10_000

/**
 * When permissions were used last, and whose login the server refused. Kept in memory and written in batches; a crash
 * loses the last half minute of uses.
 */
export class PermissionUsage implements TreeObserver {
  readonly #pending = new Map<number, Pending>()
  /** Which permissions use an account: connections know accounts only. */
  readonly #permissions = new LRUCache<string, Set<number>>({ max: KNOWN_ACCOUNTS })
  readonly #now: () => number
  #timer: { readonly due: number; readonly handle: NodeJS.Timeout } | undefined
  #saving: Promise<void> = Promise.resolve()
  #stopped = false

  constructor(private readonly options: PermissionUsageOptions) {
    this.#now = options.now ?? Date.now
  }

  /** Permissions that were never used or tried are absent. @throws DatabaseError */
  async of(permissionIds: readonly number[]): Promise<Map<number, Usage>> {
    await this.#saving
    const found = await this.options.store.of(permissionIds)
    for (const id of permissionIds) {
      const pending = this.#pending.get(id)
      if (pending) found.set(id, merged(found.get(id), pending))
    }
    return found
  }

  started({ mount, targetMount }: TreeOperation): void {
    for (const concerned of [mount, targetMount]) if (concerned) this.#remember(concerned)
  }

  ended({ mount, targetMount }: TreeOperation, { outcome }: OperationResult): void {
    if (outcome !== 'ok') return
    for (const concerned of [mount, targetMount]) {
      if (concerned) this.#pendingOf(concerned.permissionId).lastUsedAt = this.#now()
    }
    if (mount) this.#saveWithin(this.options.saveEvery ?? 30_000)
  }

  /** To be told what `Connections` tells. */
  onConnection(event: ConnectionEvent): void {
    const rejected = event.kind === 'connect-failed' && event.blames === 'secret'
    if (!rejected && event.kind !== 'connected') return
    const permissions = this.#permissions.get(event.accountKey)
    if (!permissions) return
    for (const id of permissions) this.#pendingOf(id).loginRejectedAt = rejected ? this.#now() : null
    this.#saveWithin(this.options.tellAfter ?? 250)
  }

  /** Writes what is pending. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer?.handle)
    await this.#save()
  }

  #remember({ accountKey, permissionId }: OperationMount): void {
    const known = this.#permissions.get(accountKey)
    if (known) known.add(permissionId)
    else this.#permissions.set(accountKey, new Set([permissionId]))
  }

  #pendingOf(permissionId: number): Pending {
    let pending = this.#pending.get(permissionId)
    if (!pending) {
      pending = { lastUsedAt: undefined, loginRejectedAt: undefined }
      this.#pending.set(permissionId, pending)
    }
    return pending
  }

  #saveWithin(ms: number): void {
    const due = performance.now() + ms
    if (this.#stopped || (this.#timer && this.#timer.due <= due)) return
    clearTimeout(this.#timer?.handle)
    const handle = setTimeout(() => {
      this.#timer = undefined
      void this.#save()
    }, ms)
    handle.unref()
    this.#timer = { due, handle }
  }

  #save(): Promise<void> {
    this.#saving = this.#saving.then(async () => {
      if (this.#pending.size === 0) return
      const taken = new Map(this.#pending)
      this.#pending.clear()
      try {
        await this.options.store.save([...taken].map(changeOf))
      } catch (error) {
        this.options.log.warn({ reason: messageOf(error) }, 'when permissions were used cannot be written; tried again')
        this.#putBack(taken)
        this.#saveWithin(this.options.saveEvery ?? 30_000)
      }
    })
    return this.#saving
  }

  /** What was told meanwhile is newer. */
  #putBack(taken: ReadonlyMap<number, Pending>): void {
    for (const [id, old] of taken) {
      const pending = this.#pendingOf(id)
      pending.lastUsedAt ??= old.lastUsedAt
      if (pending.loginRejectedAt === undefined) pending.loginRejectedAt = old.loginRejectedAt
    }
  }
}

function changeOf([permissionId, { lastUsedAt, loginRejectedAt }]: [number, Pending]): UsageChange {
  return {
    permissionId,
    lastUsedAt: lastUsedAt === undefined ? undefined : new Date(lastUsedAt),
    loginRejectedAt: typeof loginRejectedAt === 'number' ? new Date(loginRejectedAt) : loginRejectedAt,
  }
}

function merged(stored: Usage | undefined, { lastUsedAt, loginRejectedAt }: Pending): Usage {
  const used = lastUsedAt === undefined ? stored?.lastUsedAt : new Date(lastUsedAt)
  const rejected =
    loginRejectedAt === undefined
      ? stored?.loginRejectedAt
      : loginRejectedAt === null
        ? undefined
        : new Date(loginRejectedAt)
  return { ...(used && { lastUsedAt: used }), ...(rejected && { loginRejectedAt: rejected }) }
}
