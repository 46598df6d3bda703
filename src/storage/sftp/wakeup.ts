/**
 * Where one loop waits for whichever of several callbacks comes first. A wake-up with nobody waiting is not lost. Unlike a
 * `Promise.race` in a loop it keeps nothing behind.
 */
export class Wakeup {
  #resolve: (() => void) | undefined
  #pending = false

  wait(): Promise<void> {
    if (this.#pending) {
      this.#pending = false
      return Promise.resolve()
    }
    return new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  wake(): void {
    const resolve = this.#resolve
    if (resolve) {
      this.#resolve = undefined
      resolve()
    } else this.#pending = true
  }
}
