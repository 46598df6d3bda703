import { VfsError } from './errors.js'

/** An operation that lasts as long as its bytes take. */
export interface ActiveOperation {
  readonly userId: number
  /** As in `UserAccess`: what it ends with. */
  readonly credential?: string | undefined
  /** Ids of the permissions that it needs. */
  readonly reads: readonly number[]
  readonly writes: readonly number[]
  readonly kind: 'read' | 'write' | 'copy' | 'move' | 'remove'
  /** Virtual path. */
  readonly path: string
  readonly startedAt: number
}

/** What runs now, so that it can be shown and ended: a permission that ends also ends the transfers it allowed. */
export class ActiveOperations {
  readonly #running = new Map<ActiveOperation, AbortController>()
  #onIdle: (() => void) | undefined

  list(): ActiveOperation[] {
    return [...this.#running.keys()]
  }

  /**
   * Runs `work` with a signal that fires when the caller's does or when the operation is ended from outside; in the latter
   * case the reason given there is thrown, whatever `work` made of it.
   */
  async run<T>(operation: ActiveOperation, caller: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController()
    const forward = () => controller.abort(caller.reason)
    if (caller.aborted) forward()
    else caller.addEventListener('abort', forward, { once: true })
    this.#running.set(operation, controller)
    try {
      return await work(controller.signal)
    } catch (error) {
      throw controller.signal.reason instanceof VfsError ? controller.signal.reason : error
    } finally {
      caller.removeEventListener('abort', forward)
      this.#running.delete(operation)
      if (this.#running.size === 0) this.#onIdle?.()
    }
  }

  /** Resolves when nothing runs any more, or after `milliseconds`. */
  async idle(milliseconds: number): Promise<void> {
    if (this.#running.size === 0) return
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve
      timer = setTimeout(resolve, milliseconds)
    })
    clearTimeout(timer)
    this.#onIdle = undefined
  }

  /** Ends every operation that `mayGoOn` refuses. */
  end(mayGoOn: (operation: ActiveOperation) => boolean): void {
    for (const [operation, controller] of this.#running) {
      if (!mayGoOn(operation)) controller.abort(new VfsError('REVOKED', 'The permission for this ended.'))
    }
  }
}
