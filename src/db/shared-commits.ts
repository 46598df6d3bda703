interface Waiting<Item, Result> {
  readonly item: Item
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
}

/** Gathers what comes while a commit is under way and commits it together afterwards: all of it or none. */
export class SharedCommits<Item, Result = void> {
  #waiting: Waiting<Item, Result>[] = []
  /** A commit is under way, or waits for more to come. */
  #busy = false

  /**
   * @param commit the results in the order of the items, or nothing where there are none
   * @param gatherMs how long the first one waits for others
   */
  constructor(
    private readonly commit: (items: readonly Item[]) => Promise<readonly Result[] | void>,
    private readonly gatherMs = 0,
  ) {}

  /** Committed when it resolves. @throws what `commit` throws */
  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject })
      if (!this.#busy) this.#commitSoon()
    })
  }

  #commitSoon(): void {
    this.#busy = true
    if (this.gatherMs === 0) void this.#commitAll()
    else setTimeout(() => void this.#commitAll(), this.gatherMs)
  }

  async #commitAll(): Promise<void> {
    const batch = this.#waiting
    this.#waiting = []
    try {
      const results = await this.commit(batch.map(({ item }) => item))
      for (const [index, { resolve }] of batch.entries()) resolve(results?.[index] as Result)
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
    this.#busy = false
    if (this.#waiting.length > 0) this.#commitSoon()
  }
}
