/** What all transfers of the process may hold beyond what each of them has anyway. */
const BYTES = 64 * 1024 * 1024

/** Memory that few may use at a time beyond what everybody has: who comes when it is spent does without. */
export class Headroom {
  #left: number

  constructor(bytes: number) {
    this.#left = bytes
  }

  /** @returns how many of `bytes` were granted; to be given back */
  take(bytes: number): number {
    const granted = Math.max(0, Math.min(bytes, this.#left))
    this.#left -= granted
    return granted
  }

  give(bytes: number): void {
    this.#left += bytes
  }
}

export const headroom = new Headroom(BYTES)
