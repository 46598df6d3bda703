import { Slots } from '../heap/slots.js'
import { endable, type EndableCall } from './endable.js'
import { VfsError } from './errors.js'
import type { Call } from './tree.js'

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
  readonly #running = new Slots<{ readonly operation: ActiveOperation; readonly call: EndableCall }>()
  #onIdle: (() => void) | undefined

  list(): ActiveOperation[] {
    return Array.from(this.#running, ({ operation }) => operation)
  }

  /**
   * Runs `work` with a signal that fires when the caller's does or when the operation is ended from outside; in the latter
   * case the reason given there is thrown, whatever `work` made of it.
   */
  run<T>(operation: ActiveOperation, call: Call, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return endable(call, (own) => this.#run(operation, own, work))
  }

  async #run<T>(operation: ActiveOperation, call: EndableCall, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const slot = this.#running.add({ operation, call })
    try {
      return await work(call.signal)
    } finally {
      this.#running.remove(slot)
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
    for (const { operation, call } of this.#running) {
      if (!mayGoOn(operation)) call.end(new VfsError('REVOKED', 'The permission for this ended.'))
    }
  }
}
