import { isDeepStrictEqual } from 'node:util'
import { LRUCache } from 'lru-cache'
import type { Entry, Listing } from '../storage/driver.js'
import { nameOf, parentOf } from '../storage/remote-path.js'
import type { ResourceKey } from './ports.js'

export interface CacheLimits {
  /** How long a listing or a stat is believed, ms. */
  readonly ttl: number
  /** Entries in memory, all listings together. */
  readonly maxEntries: number
}

/** How long more than `ttl` what was seen may be worth remembering, ms. */
const REMEMBERED = 60_000

/** Which eyes look: what one login may list, another may not. */
export interface View {
  readonly namespace: string
  readonly accountKey: string
}

/** Questions that were answered from memory, and those that went to a server; since the start. */
export interface CacheStats {
  readonly hits: number
  readonly misses: number
  /** Folders in memory. */
  readonly folders: number
}

/** What stood at a path when somebody looked, and since when nothing else was seen there, by the cache's clock. */
export interface Seen {
  readonly entry: Entry
  readonly since: number
}

/** A folder as it was listed, kept up to date with writes through the gateway. */
export interface CachedFolder {
  readonly entries: ReadonlyMap<string, Entry>
  readonly selfModified: number | undefined
  /** Grows whenever one of them changes. */
  readonly revision: number
}

interface Folder extends CachedFolder {
  readonly entries: Map<string, Entry>
  selfModified: number | undefined
  revision: number
  readonly fetchedAt: number
  /** When it was there whole, or an entry last became another one. */
  changedAt: number
}

interface Flight {
  readonly result: Promise<CachedFolder>
  /** Set when something below was written meanwhile: the answer may be older than that write. */
  outdated: boolean
}

/**
 * What servers said about folders and files lately. One listing answers Depth 1, the stat of every child, and "not there"
 * for every other name. Writes through the gateway change it in place, at once, for every login that sees the same folder.
 */
export class MetadataCache {
  readonly #folders: LRUCache<string, Folder>
  readonly #entries: LRUCache<string, { entry: Entry | undefined; fetchedAt: number }>
  readonly #flights = new Map<string, Flight>()
  readonly #times = new FolderTimes()
  readonly #accounts = new Map<string, Set<string>>()
  /** Writes so far, by namespace. */
  readonly #writes = new Map<string, number>()
  #hits = 0
  #misses = 0

  /** @param onGone told of each folder that nobody gets any more */
  constructor(
    private readonly limits: CacheLimits,
    private readonly now: () => number = Date.now,
    onGone: (folder: CachedFolder) => void = () => undefined,
  ) {
    this.#folders = new LRUCache({
      maxSize: limits.maxEntries,
      sizeCalculation: (folder) => folder.entries.size + 1,
      dispose: (folder: Folder) => onGone(folder),
    })
    this.#entries = new LRUCache({ max: Math.max(1, Math.ceil(limits.maxEntries / 4)) })
  }

  get stats(): CacheStats {
    return { hits: this.#hits, misses: this.#misses, folders: this.#folders.size }
  }

  folder(view: View, path: string): CachedFolder | undefined {
    return this.#counted(this.#folder(view, path))
  }

  #folder(view: View, path: string): CachedFolder | undefined {
    const folder = this.#folders.get(cacheKey(view.accountKey, path))
    return folder !== undefined && this.#isFresh(folder) ? folder : undefined
  }

  /** The entry, `'absent'`, or undefined when only the server knows. */
  entry(view: View, path: string): Entry | 'absent' | undefined {
    return this.#counted(this.#entry(view, path))
  }

  #entry(view: View, path: string): Entry | 'absent' | undefined {
    const parent = this.#folder(view, parentOf(path))
    if (parent !== undefined) return parent.entries.get(nameOf(path)) ?? 'absent'
    const known = this.#entries.get(cacheKey(view.accountKey, path))
    if (known === undefined || !this.#isFresh(known)) return undefined
    return known.entry ?? 'absent'
  }

  /** What stood at a path when somebody looked, however long ago; nothing to answer with. */
  remembered(view: View, path: string): Seen | undefined {
    const folder = this.#folders.peek(cacheKey(view.accountKey, parentOf(path)))
    const listed = folder?.entries.get(nameOf(path))
    if (folder !== undefined && listed !== undefined) return { entry: listed, since: folder.changedAt }
    const known = this.#entries.peek(cacheKey(view.accountKey, path))
    return known?.entry && { entry: known.entry, since: known.fetchedAt }
  }

  #counted<T>(answer: T | undefined): T | undefined {
    if (answer === undefined) this.#misses++
    else this.#hits++
    return answer
  }

  /** Lists by `load`, once for all who ask at the same time. */
  async list(view: View, path: string, load: () => Promise<Listing>): Promise<CachedFolder> {
    this.#know(view)
    const key = cacheKey(view.accountKey, path)
    const flying = this.#flights.get(key)
    if (flying !== undefined && !flying.outdated) return flying.result
    const flight: Flight = { result: this.#load(key, load, () => flight.outdated), outdated: false }
    this.#flights.set(key, flight)
    try {
      return await flight.result
    } finally {
      if (this.#flights.get(key) === flight) this.#flights.delete(key)
    }
  }

  async #load(key: string, load: () => Promise<Listing>, outdated: () => boolean): Promise<CachedFolder> {
    const fetchedAt = this.now()
    const listing = await load()
    const entries = new Map(listing.entries.map((entry) => [entry.name, entry]))
    const selfModified = listing.selfModified ?? this.#times.of(key, listing.entries, fetchedAt)
    const folder: Folder = { entries, selfModified, revision: 0, fetchedAt, changedAt: this.now() }
    if (!outdated()) this.#folders.set(key, folder)
    this.#forgetOld()
    return folder
  }

  /** Memory would hold everything that anybody has looked at, up to its limit. */
  #forgetOld(): void {
    const since = this.now() - this.limits.ttl - REMEMBERED
    for (const known of [this.#folders, this.#entries]) {
      // Those that were asked for longest ago come first.
      for (const key of known.rkeys()) {
        if ((known.peek(key)?.fetchedAt ?? 0) > since) break
        known.delete(key)
      }
    }
  }

  /** Grows with every write: what was asked before one may be older than it. */
  writes({ namespace }: View): number {
    return this.#writes.get(namespace) ?? 0
  }

  /**
   * What a stat told. `undefined`: nothing is there.
   * @param asked `writes()` when it was asked; an answer that a write overtook is not kept
   */
  learn(view: View, path: string, entry: Entry | undefined, asked: number): void {
    if (asked !== this.writes(view)) return
    this.#know(view)
    this.#entries.set(cacheKey(view.accountKey, path), { entry, fetchedAt: this.now() })
    const parent = this.#folders.peek(cacheKey(view.accountKey, parentOf(path)))
    if (parent !== undefined) put(parent, nameOf(path), entry, this.now())
  }

  /** Something was written at `key`, and `entry` stands there now. */
  written(key: ResourceKey, entry: Entry): void {
    this.#change(key, entry.name, entry)
    for (const account of this.#accounts.get(key.namespace) ?? []) {
      this.#entries.set(cacheKey(account, key.path), { entry, fetchedAt: this.now() })
    }
  }

  /** What stood at `key` is gone; `deep`: it was a folder, with everything below. */
  removed(key: ResourceKey, deep: boolean): void {
    this.#change(key, nameOf(key.path), undefined)
    if (deep) this.forgetBelow(key)
    for (const account of this.#accounts.get(key.namespace) ?? []) {
      this.#entries.set(cacheKey(account, key.path), { entry: undefined, fetchedAt: this.now() })
    }
  }

  /** Nothing is known any more of `key` and what is below, nor of the listing that shows it. */
  forget(key: ResourceKey): void {
    this.#wrote(key)
    this.forgetBelow(key)
    const parent = parentOf(key.path)
    for (const account of this.#accounts.get(key.namespace) ?? []) {
      this.#folders.delete(cacheKey(account, parent))
      this.#entries.delete(cacheKey(account, key.path))
      this.#outdate(cacheKey(account, parent))
    }
  }

  forgetBelow(key: ResourceKey): void {
    for (const account of this.#accounts.get(key.namespace) ?? []) {
      const exact = cacheKey(account, key.path)
      const prefix = key.path === '/' ? exact : exact + '/'
      for (const known of this.#folders.keys()) {
        if (known === exact || known.startsWith(prefix)) this.#folders.delete(known)
      }
      for (const known of this.#entries.keys()) if (known.startsWith(prefix)) this.#entries.delete(known)
      for (const known of this.#flights.keys()) if (known === exact || known.startsWith(prefix)) this.#outdate(known)
    }
  }

  #change(key: ResourceKey, name: string, entry: Entry | undefined): void {
    const parent = parentOf(key.path)
    const now = this.now()
    this.#wrote(key)
    for (const account of this.#accounts.get(key.namespace) ?? []) {
      const parentKey = cacheKey(account, parent)
      this.#outdate(parentKey)
      const folder = this.#folders.peek(parentKey)
      if (folder !== undefined) {
        put(folder, name, entry, now)
        folder.selfModified = Math.max(now, folder.selfModified ?? 0)
        folder.revision++
      }
      this.#touch(account, parent, now)
    }
  }

  /** A folder's own time moves when a member comes or goes. */
  #touch(account: string, path: string, now: number): void {
    const shown = this.#folders.peek(cacheKey(account, parentOf(path)))
    const entry = shown?.entries.get(nameOf(path))
    if (shown !== undefined && entry?.type === 'directory') put(shown, entry.name, { ...entry, modified: now }, now)
    const alone = this.#entries.peek(cacheKey(account, path))
    if (alone?.entry?.type === 'directory') {
      this.#entries.set(cacheKey(account, path), { ...alone, entry: { ...alone.entry, modified: now } })
    }
  }

  #wrote({ namespace }: ResourceKey): void {
    this.#writes.set(namespace, (this.#writes.get(namespace) ?? 0) + 1)
  }

  #outdate(key: string): void {
    const flight = this.#flights.get(key)
    if (flight !== undefined) flight.outdated = true
  }

  #know(view: View): void {
    let accounts = this.#accounts.get(view.namespace)
    if (accounts === undefined) this.#accounts.set(view.namespace, (accounts = new Set<string>()))
    accounts.add(view.accountKey)
  }

  #isFresh(known: { fetchedAt: number }): boolean {
    return this.now() - known.fetchedAt < this.limits.ttl
  }
}

/** @param entry undefined: it is gone */
function put(folder: Folder, name: string, entry: Entry | undefined, now: number): void {
  const known = folder.entries.get(name)
  if (known === entry || (known !== undefined && entry !== undefined && isDeepStrictEqual(known, entry))) return
  if (entry === undefined) folder.entries.delete(name)
  else folder.entries.set(name, entry)
  folder.changedAt = now
  folder.revision++
}

/**
 * Times of folders on servers whose listings do not tell them (a plain LIST of the login's own folder): the newest member
 * at first, then the moment a change was seen. Finder drops what it knows of a folder only when this moves.
 */
class FolderTimes {
  readonly #known = new LRUCache<string, { fingerprint: number; modified: number }>({ max: 10_000 })

  of(key: string, entries: readonly Entry[], now: number): number {
    let fingerprint = entries.length
    let newest = 0
    for (const { name, size, modified = 0 } of entries) {
      let hash = 0
      for (let i = 0; i < name.length; i++) hash = (Math.imul(hash, 31) + name.charCodeAt(i)) | 0
      fingerprint = (fingerprint + (hash ^ size ^ Math.floor(modified / 1000))) | 0
      if (modified > newest) newest = modified
    }
    const known = this.#known.get(key)
    if (known?.fingerprint === fingerprint) return known.modified
    const modified = known === undefined && newest > 0 ? Math.min(newest, now) : now
    this.#known.set(key, { fingerprint, modified })
    return modified
  }
}

function cacheKey(accountKey: string, path: string): string {
  return `${accountKey}\n${path}`
}
