import { LRUCache } from 'lru-cache'
import type { CachedFolder } from './metadata-cache.js'
import type { NodeListing } from './node.js'

/** Nodes in memory, all listings together. */
const REMEMBERED = 100_000

/**
 * Folders as users see them: the same object for as long as nothing in a folder changes, so whoever made something of it
 * need not make it again. Users who see a folder under the same path share it.
 */
export class RememberedListings {
  readonly #known = new LRUCache<CachedFolder, { readonly listing: NodeListing; readonly revision: number }>({
    maxSize: REMEMBERED,
    sizeCalculation: ({ listing }) => listing.members.length + 1,
  })

  /** @param path virtual path of the folder */
  of(folder: CachedFolder, path: string, build: () => NodeListing): NodeListing {
    const known = this.#known.get(folder)
    if (known?.revision === folder.revision && known.listing.self.path === path) return known.listing
    const listing = build()
    this.#known.set(folder, { listing, revision: folder.revision })
    return listing
  }

  /** Nobody sees it any more. */
  forget(folder: CachedFolder): void {
    this.#known.delete(folder)
  }
}
