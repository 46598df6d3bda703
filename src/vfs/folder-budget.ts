import { VfsError } from './errors.js'
import type { FolderLimits } from './mount-view.js'

/** Bounds one operation over a whole folder in items and time. */
export class FolderBudget {
  #items = 0
  readonly #until: number

  constructor(
    private readonly limits: FolderLimits,
    private readonly now: () => number,
  ) {
    this.#until = now() + limits.maxTime
  }

  /** One more item. @throws TOO_MANY_ITEMS */
  spend(): void {
    if (++this.#items > this.limits.maxItems) {
      throw new VfsError('TOO_MANY_ITEMS', `The folder holds more than ${this.limits.maxItems} items.`)
    }
    if (this.now() > this.#until) {
      throw new VfsError('TOO_MANY_ITEMS', `The folder took longer than ${this.limits.maxTime / 1000} seconds.`)
    }
  }
}
