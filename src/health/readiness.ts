/** How long an answer holds, and how long it may take, ms. */
const HOLDS = 1000
const DEADLINE = 2000

/** Whether the gateway can serve: it is not stopping, and its database can be written. */
export class Readiness {
  #stopping = false
  #known: { readonly until: number; readonly reason: Promise<string | undefined> } | undefined

  /** @param write writes something harmless */
  constructor(
    private readonly write: () => Promise<unknown>,
    private readonly now: () => number = () => performance.now(),
  ) {}

  stopping(): void {
    this.#stopping = true
  }

  /** Why not; undefined when it can. However often it is asked, the database is asked once a second. */
  unready(): Promise<string | undefined> {
    if (this.#stopping) return Promise.resolve('stopping')
    if (this.#known === undefined || this.now() >= this.#known.until) {
      this.#known = { until: this.now() + HOLDS, reason: this.#judge() }
    }
    return this.#known.reason
  }

  async #judge(): Promise<string | undefined> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<string>((resolve) => {
      timer = setTimeout(() => resolve('database'), DEADLINE)
      timer.unref()
    })
    const written = this.write().then(
      () => undefined,
      () => 'database',
    )
    return Promise.race([written, late]).finally(() => clearTimeout(timer))
  }
}
