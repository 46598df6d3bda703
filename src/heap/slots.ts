/**
 * What comes and goes all the time, as the members of a Set that lives long. V8 makes such a Set a new table every few
 * additions, and the tables before stay until the whole heap is collected, with all that stood in them at the time: each
 * request outlived the collections of young objects so, and what it led to ([docs/performance.md](../../docs/performance.md), "Every request").
 * Slots are used again.
 */
export class Slots<Item> implements Iterable<Item> {
  readonly #slots: (Item | undefined)[] = []
  readonly #free: number[] = []

  get size(): number {
    return this.#slots.length - this.#free.length
  }

  /** @returns its slot, for `remove` */
  add(item: Item): number {
    const slot = this.#free.pop() ?? this.#slots.length
    this.#slots[slot] = item
    return slot
  }

  /** @param slot from `add`, once */
  remove(slot: number): void {
    this.#slots[slot] = undefined
    this.#free.push(slot)
  }

  /** In no order. What is added or removed meanwhile may be missing or be there. */
  *[Symbol.iterator](): Generator<Item, void, undefined> {
    for (const item of this.#slots) if (item !== undefined) yield item
  }
}
