/**
 * What is kept with an object for as long as that lives, for who made neither: as a WeakMap, but as a property of the
 * object. V8 takes what a WeakMap holds for reachable until it looks through its whole heap; with a map of requests every
 * request outlives the collections of young objects, with all that it leads to.
 */
export class KeptWith<Holder extends object, Value> {
  readonly #key: symbol

  /** @param name for who looks at an object in a debugger */
  constructor(name: string) {
    this.#key = Symbol(name)
  }

  get(holder: Holder): Value | undefined {
    return (holder as Record<symbol, Value | undefined>)[this.#key]
  }

  set(holder: Holder, value: Value): void {
    ;(holder as Record<symbol, Value | undefined>)[this.#key] = value
  }

  has(holder: Holder): boolean {
    return this.get(holder) !== undefined
  }

  delete(holder: Holder): void {
    ;(holder as Record<symbol, Value | undefined>)[this.#key] = undefined
  }
}
