import { LRUCache } from 'lru-cache'
import type { Entry } from '../storage/driver.js'
import type { ResourceKey } from './ports.js'

const REMEMBERED = 20_000

/**
 * Strong entity tags from what listings tell: size, time and, where there is one, the server's file identity. Servers count
 * time in seconds or minutes, so two saves may look alike; for files written through the gateway a counter tells them apart
 * for as long as the time stays the same. (RFC 9110 section 8.8.1 asks for no more than we can know.)
 */
export class EntityTags {
  readonly #saves = new LRUCache<string, { modified: number | undefined; count: number; ever: number }>({
    max: REMEMBERED,
  })

  of(key: ResourceKey, entry: Entry): string | undefined {
    if (entry.type === 'directory') return undefined
    const saves = this.#saves.get(cacheKey(key))
    const count = saves !== undefined && saves.modified === entry.modified ? saves.count : 0
    const time = entry.modified === undefined ? 'x' : Math.floor(entry.modified).toString(36)
    const identity = entry.unique === undefined ? '' : '-' + entry.unique.replace(/[^\w.]/g, '')
    return `"${entry.size.toString(36)}-${time}${identity}${count === 0 ? '' : `-s${count}`}"`
  }

  /** A file was replaced through the gateway: `before` is what stood there, `after` what stands there now. */
  saved(key: ResourceKey, before: Entry | undefined, after: Entry): void {
    const id = cacheKey(key)
    const saves = this.#saves.get(id)
    const ever = (saves?.ever ?? 0) + 1
    let count = before?.modified === after.modified && before ? 1 : 0
    if (saves !== undefined && saves.modified === after.modified) count = saves.count + 1
    this.#saves.set(id, { modified: after.modified, count, ever })
  }

  /** How often a file was replaced through the gateway, as far as anybody remembers: to see that it was again. */
  savesOf(key: ResourceKey): number {
    return this.#saves.get(cacheKey(key))?.ever ?? 0
  }
}

function cacheKey(key: ResourceKey): string {
  return `${key.namespace}\n${key.path}`
}
