const EVERY = 250

/**
 * How late this process itself is, which shares its processors with the gateway and the servers: on a machine that has no
 * time for them, deadlines pass without anybody's fault.
 */
export class Strain {
  readonly #late: { readonly at: number; readonly ms: number }[] = []
  #due = performance.now() + EVERY
  readonly #timer = setInterval(() => {
    const now = performance.now()
    if (now - this.#due > EVERY) this.#late.push({ at: now, ms: now - this.#due })
    this.#due = now + EVERY
  }, EVERY)

  /** Milliseconds that this process was held up in a time. */
  within(start: number, end: number): number {
    return this.#late.reduce((sum, { at, ms }) => (at >= start && at - ms <= end ? sum + ms : sum), 0)
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}
