/** Time as a parameter, so that tests own it. */
export interface Clock {
  /** Milliseconds since the epoch; never runs backwards. */
  now(): number
  /**
   * Runs `run` once after `ms` milliseconds. `background` timers do not keep the process alive.
   * @returns cancels it
   */
  after(ms: number, run: () => void, options?: { readonly background?: boolean }): () => void
}

/** Follows the monotonic clock: an adjusted wall clock neither prolongs nor cuts a wait. */
export const systemClock: Clock = {
  now: () => performance.timeOrigin + performance.now(),
  after(ms, run, options) {
    const timer = setTimeout(run, ms)
    if (options?.background === true) timer.unref()
    return () => clearTimeout(timer)
  },
}
