/**
 * Runs at most `concurrency` jobs at once and lets at most `queue` more wait: bcrypt shares four threads with the file
 * system and DNS, and forty pending comparisons would hold up everything else for a second.
 */
export class HashQueue {
  #running = 0
  readonly #waiting: (() => void)[] = []

  constructor(
    private readonly concurrency = 2,
    private readonly queue = 50,
  ) {}

  /** Undefined when the queue is full: the job did not run. */
  async run<T>(job: () => Promise<T>): Promise<{ value: T } | undefined> {
    if (this.#running >= this.concurrency) {
      if (this.#waiting.length >= this.queue) return undefined
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    } else {
      this.#running++
    }
    try {
      return { value: await job() }
    } finally {
      // The place goes straight to the next one, if there is one.
      const next = this.#waiting.shift()
      if (next) next()
      else this.#running--
    }
  }
}
