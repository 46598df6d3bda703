import { LRUCache } from 'lru-cache'
import type { NodeListing } from '../vfs/node.js'
import type { DeadProperty } from '../vfs/ports.js'

/** Bytes of bodies in memory, all together and of one. */
const KEPT = 16 * 1024 * 1024
const KEPT_OF_ONE = KEPT / 2

type Stored = ReadonlyMap<string, readonly DeadProperty[]>

/** An answer that is being rendered, or was before. */
export interface RenderedListing {
  /** The whole body, where it is known. */
  readonly body: readonly Buffer[] | undefined
  /** Takes the next part of a body that is rendered now. */
  add(chunk: Buffer): void
  /** That was all of it. */
  keep(): void
}

/**
 * Bodies of PROPFIND. A listing that is the same object as before, with stored properties that are the same objects as
 * before, is told in the same words to everybody who asks for the same properties.
 */
export class RenderedListings {
  readonly #bodies = new LRUCache<string, { readonly body: readonly Buffer[]; readonly stored: Stored }>({
    maxSize: KEPT,
    sizeCalculation: ({ body }) => body.reduce((sum, chunk) => sum + chunk.length, 1),
  })
  readonly #ids = new WeakMap<NodeListing, number>()
  #nextId = 0

  /** @param asked what makes two answers over the same listing differ: properties, options, the URL of the folder */
  find(listing: NodeListing, stored: Stored, asked: readonly unknown[]): RenderedListing {
    const key = JSON.stringify([this.#idOf(listing), ...asked])
    const known = this.#bodies.get(key)
    const chunks: Buffer[] = []
    let size = 0
    return {
      body: known && isSame(known.stored, stored) ? known.body : undefined,
      add(chunk) {
        size += chunk.length
        if (size > KEPT_OF_ONE) chunks.length = 0
        else chunks.push(chunk)
      },
      keep: () => {
        if (size <= KEPT_OF_ONE) this.#bodies.set(key, { body: chunks, stored })
      },
    }
  }

  #idOf(listing: NodeListing): number {
    let id = this.#ids.get(listing)
    if (id === undefined) this.#ids.set(listing, (id = this.#nextId++))
    return id
  }
}

function isSame(one: Stored, other: Stored): boolean {
  if (one.size !== other.size) return false
  for (const [path, properties] of one) if (other.get(path) !== properties) return false
  return true
}
