import { LRUCache } from 'lru-cache'
import type { EntityTags } from './entity-tags.js'
import type { Seen } from './metadata-cache.js'
import type { Node } from './node.js'
import type { ResourceKey } from './ports.js'

/** Larger files are read from their server each time, bytes. */
const LARGEST = 64 * 1024

/** What a file costs besides its bytes, about. */
const OVERHEAD = 512

interface Version {
  readonly etag: string
  /** Saves through the gateway before it. */
  readonly saves: number
  /** When somebody first saw it, by the clock that runs on evenly, ms. */
  readonly since: number
  readonly bytes?: Buffer
}

/**
 * Small files that are read again and again. Bytes are given out only for the version that a listing or a look shows right
 * now, by its entity tag.
 *
 * Servers tell times in seconds or minutes, so that a tag which was seen only a moment ago may yet become that of other
 * bytes. Kept is only what was read when its time had passed on the server: long enough after somebody first saw the tag.
 */
export class HotFiles {
  readonly #versions: LRUCache<string, Version> | undefined

  /** @param limit of all together, bytes; 0 keeps none */
  constructor(
    limit: number,
    private readonly tags: EntityTags,
    private readonly elapsed: () => number,
  ) {
    if (limit === 0) return
    this.#versions = new LRUCache({
      maxSize: limit,
      sizeCalculation: ({ bytes }, id) => OVERHEAD + id.length + (bytes?.length ?? 0),
    })
  }

  /** Whether bytes of some version are here. */
  has(account: string, { path }: ResourceKey): boolean {
    return this.#versions?.peek(idOf(account, path))?.bytes !== undefined
  }

  /** The whole file, if this version of it is here. */
  bytesOf(account: string, key: ResourceKey, { etag }: Node): Buffer | undefined {
    const version = this.#versions?.get(idOf(account, key.path))
    return version?.etag === etag && version?.saves === this.tags.savesOf(key) ? version?.bytes : undefined
  }

  /**
   * Before a file is read: what is to be done with its bytes when they were read whole.
   * @param seen what the cache knows of it, and since when
   * @returns undefined where they are not to be kept
   */
  keeper(
    account: string,
    key: ResourceKey,
    { etag, size, modified }: Node,
    seen: Seen | undefined,
  ): ((bytes: Buffer) => void) | undefined {
    const versions = this.#versions
    if (versions === undefined || etag === undefined || modified === undefined || size === 0 || size > LARGEST) return
    const id = idOf(account, key.path)
    const saves = this.tags.savesOf(key)
    const now = this.elapsed()
    const known = versions.peek(id)
    const isKnown = known?.etag === etag && known.saves === saves
    const seenBefore = seen !== undefined && this.tags.of(key, seen.entry) === etag ? seen.since : now
    const version = { etag, saves, since: isKnown ? Math.min(known.since, seenBefore) : seenBefore }
    if (now - version.since >= toldApart(modified)) return (bytes) => void versions.set(id, { ...version, bytes })
    if (known?.since !== version.since || !isKnown) versions.set(id, version)
    return undefined
  }
}

/** Two saves so far apart have different times on the server, ms: a time of whole minutes may be told no more exactly. */
function toldApart(modified: number): number {
  return modified % 60_000 === 0 ? 61_000 : 2_000
}

function idOf(account: string, path: string): string {
  return `${account}\n${path}`
}
