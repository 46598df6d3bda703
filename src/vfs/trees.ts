import type { Logger } from '../logger.js'
import { systemClock } from '../storage/clock.js'
import type { Connections } from '../storage/connections.js'
import { ActiveOperations } from './active-operations.js'
import { EntityTags } from './entity-tags.js'
import { HotFiles } from './hot-files.js'
import { KeyedMutex } from './keyed-mutex.js'
import { LockTable, type LockLimits } from './lock-table.js'
import { MetadataCache, type CacheLimits, type CacheStats } from './metadata-cache.js'
import type { Access, Mount, UserAccess } from './mount.js'
import { MountView, type FolderLimits, type VfsParts } from './mount-view.js'
import type { LockStore, PropertyStore, UploadJournal } from './ports.js'
import { RememberedListings } from './remembered-listings.js'
import { RememberedProperties } from './remembered-properties.js'
import type { Tree } from './tree.js'
import { Uploads } from './uploads.js'
import { UserTree } from './user-tree.js'

export interface TreesOptions {
  readonly connections: Connections
  readonly locks: LockStore
  readonly properties: PropertyStore
  readonly journal: UploadJournal
  readonly log: Logger
  readonly limits: {
    readonly cache: CacheLimits & { readonly files: number }
    readonly locks: LockLimits
    readonly folders: FolderLimits
    /** Pause between sweeps of the upload journal and of expired locks, ms. */
    readonly sweepEvery: number
  }
  /** The mount of a permission whatever its state, to clean up with its login; undefined when it is gone. */
  readonly mountOf: (permissionId: number) => Promise<Mount | undefined>
  readonly now?: () => number
}

/** A driver may take this long to stop a transfer and to remove what it left, ms. */
const CUT_ENDS_WITHIN = 5_000

/** All users' trees and what they share. */
export class Trees {
  readonly active = new ActiveOperations()
  readonly #parts: VfsParts
  readonly #uploads: Uploads
  readonly #trees = new WeakMap<UserAccess, Tree>()
  readonly #sweepEvery: number
  #sweeper: NodeJS.Timeout | undefined

  constructor({ connections, locks, properties, journal, log, limits, mountOf, ...clock }: TreesOptions) {
    const now = clock.now ?? Date.now
    // What lasts for some time here, whatever becomes of the wall clock.
    const elapsed = clock.now ?? (() => systemClock.now())
    const tags = new EntityTags()
    const listings = new RememberedListings()
    this.#parts = {
      connections,
      properties: new RememberedProperties(properties),
      journal,
      log,
      now,
      elapsed,
      active: this.active,
      cache: new MetadataCache(limits.cache, elapsed, (folder) => listings.forget(folder)),
      listings,
      locks: new LockTable(locks, limits.locks, now),
      tags,
      hot: new HotFiles(limits.cache.files, tags, elapsed),
      mutex: new KeyedMutex(),
      folderLimits: limits.folders,
    }
    this.#uploads = new Uploads(journal, log, mountOf, (mount) => new MountView(this.#parts, mount), now)
    this.#sweepEvery = limits.sweepEvery
  }

  /** Loads the locks and begins to clean up after an earlier process. Connects to nothing unless there is something to clean. */
  async start(): Promise<void> {
    await this.#parts.locks.load()
    await this.releaseLocksOfFormerUsers()
    this.#uploads.sweepSoon()
    this.#sweeper = setInterval(() => {
      this.#uploads.sweepSoon()
      this.#parts.locks.sweep().catch((error: unknown) => this.#parts.log.error({ err: error }, 'expired locks stay'))
      void this.releaseLocksOfFormerUsers()
    }, this.#sweepEvery)
    this.#sweeper.unref()
  }

  /** Waits for the clean-up that is under way, also of transfers that were cut a moment ago. */
  async stop(): Promise<void> {
    clearInterval(this.#sweeper)
    await this.active.idle(CUT_ENDS_WITHIN)
    await this.#uploads.close()
  }

  get cacheStats(): CacheStats {
    return this.#parts.cache.stats
  }

  /** The tree of a user as permitted in `access`; equal for the same `access`. */
  treeOf(access: UserAccess): Tree {
    let tree = this.#trees.get(access)
    if (tree === undefined) this.#trees.set(access, (tree = new UserTree(this.#parts, this.#uploads, access)))
    return tree
  }

  /**
   * Ends what the user has under way and may no longer: everything after a change of the password or the role, else what
   * needs a permission that is gone, reads only now, or leads elsewhere. A new secret of the same login ends nothing.
   * @param after undefined: may nothing any more
   */
  revoke(before: UserAccess, after: UserAccess | undefined): void {
    const reaches = new Map(before.mounts.map((mount) => [mount.permissionId, reachOf(mount)]))
    const kept = after?.authVersion === before.authVersion ? after.mounts : []
    const may = new Map<number, Access>()
    for (const mount of kept) {
      if (reaches.get(mount.permissionId) === reachOf(mount)) may.set(mount.permissionId, mount.access)
    }
    this.active.end(
      ({ userId, reads, writes }) =>
        userId !== before.userId ||
        (reads.every((id) => may.has(id)) && writes.every((id) => may.get(id) === 'read-write')),
    )
  }

  /** Users may have been disabled or removed: their locks end. What fails is done by the next sweep. */
  async releaseLocksOfFormerUsers(): Promise<void> {
    const { locks, log } = this.#parts
    await locks.releaseFormer().catch((error: unknown) => log.error({ err: error }, 'locks of former users stay'))
  }

  /** App passwords, tokens and sessions by which something is under way. */
  credentialsInUse(): ReadonlySet<string> {
    return new Set(this.active.list().flatMap(({ credential }) => (credential === undefined ? [] : [credential])))
  }

  /** Ends what is under way by these; other logins of their users go on. */
  endCredentials(ended: ReadonlySet<string>): void {
    this.active.end(({ credential }) => credential === undefined || !ended.has(credential))
  }
}

function reachOf({ account, root }: Mount): string {
  return JSON.stringify([account.server.id, account.server.version, account.login.username, root])
}
