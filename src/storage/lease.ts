import type { Connection } from './driver.js'
import { StorageError } from './errors.js'

/**
 * The exclusive loan of one connection for one piece of work. `connection` is the real one, watched: the lease knows of
 * every operation whether it ended and whether the conversation was in step afterwards, even when the work swallowed the
 * error, threw one of its own, or left something running.
 */
export class Lease {
  readonly connection: Connection
  #running = 0
  #inStep = true
  #over = false

  constructor(private readonly target: Connection) {
    this.connection = new Proxy(target, {
      get: (_, name) => {
        const member: unknown = Reflect.get(target, name, target)
        if (typeof member !== 'function') return member
        return (...args: unknown[]): unknown => this.#run(() => Reflect.apply(member, target, args))
      },
    })
  }

  /**
   * Ends the lease, and is the only place that decides whether the connection may serve somebody else: it is open, nothing
   * runs on it, and no operation failed in a way that leaves its next answer in doubt. Anything unknown is a no.
   * @param error what the work threw
   */
  settle(error?: unknown): 'back' | 'closed' {
    this.#over = true
    if (!this.target.open || this.#running > 0 || !this.#inStep) return 'closed'
    return error instanceof StorageError && !error.inStep ? 'closed' : 'back'
  }

  #run(operation: () => unknown): unknown {
    if (this.#over) throw new Error('This connection was given back already.')
    let result: unknown
    try {
      result = operation()
    } catch (error) {
      this.#failed(error)
      throw error
    }
    return result instanceof Promise ? this.#follow(result) : result
  }

  async #follow(result: Promise<unknown>): Promise<unknown> {
    this.#running++
    try {
      return await result
    } catch (error) {
      this.#failed(error)
      throw error
    } finally {
      this.#running--
    }
  }

  #failed(error: unknown): void {
    // An error of a sink or a source says nothing of the server: the driver has closed what it left out of step.
    if (error instanceof StorageError && !error.inStep) this.#inStep = false
  }
}
