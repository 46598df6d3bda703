/** Runs `expire` when something that is due does not come. It counts only while somebody called `expect`. */
export class Watchdog {
  #timer: NodeJS.Timeout | undefined
  #milliseconds = 0

  constructor(private readonly expire: () => void) {}

  /** Something is due within `milliseconds` from now; called again, the time starts anew. */
  expect(milliseconds: number): void {
    if (this.#timer !== undefined && milliseconds === this.#milliseconds) {
      this.#timer.refresh()
      return
    }
    clearTimeout(this.#timer)
    this.#milliseconds = milliseconds
    this.#timer = setTimeout(this.expire, milliseconds)
  }

  /** Nothing is due: somebody else is the one to act. */
  rest(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
