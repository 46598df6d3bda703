import { StorageError } from '../storage/errors.js'
import type { ResourceKey } from './ports.js'

export interface Patience {
  readonly signal: AbortSignal
  /** ms */
  readonly wait: number
}

/** Lets one piece of work run at a time for each key, in order of arrival. */
export class KeyedMutex {
  readonly #tails = new Map<string, Promise<void>>()

  /**
   * @param patience of those who would wait for work without end; others wait for work that is short
   * @throws BUSY, ABORTED when `patience` ends first
   */
  async run<T>(key: string, work: () => Promise<T>, patience?: Patience): Promise<T> {
    const before = this.#tails.get(key)
    let release!: () => void
    const mine = new Promise<void>((resolve) => (release = resolve))
    this.#tails.set(key, mine)
    const leave = () => {
      if (this.#tails.get(key) === mine) this.#tails.delete(key)
      release()
    }
    if (before !== undefined) {
      try {
        await (patience === undefined ? before : patiently(before, patience))
      } catch (error) {
        // Who comes after still waits for who was before.
        void before.then(leave)
        throw error
      }
    }
    try {
      return await work()
    } finally {
      leave()
    }
  }

  /** Whether work for this key runs or waits. */
  isHeld(key: string): boolean {
    return this.#tails.has(key)
  }
}

/** The key of what gives a file its name or takes it away. */
export function mutexKey({ namespace, path }: ResourceKey): string {
  return `${namespace}\n${path}`
}

function patiently(before: Promise<void>, { signal, wait }: Patience): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (error?: Error) => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      if (error) reject(error)
      else resolve()
    }
    const onAbort = () => {
      end(new StorageError('ABORTED', 'The request ended before its turn.', { cause: signal.reason, inStep: true }))
    }
    const timer = setTimeout(() => {
      end(new StorageError('BUSY', 'Another copy with this login goes on.', { retryAfterSeconds: 30, inStep: true }))
    }, wait)
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) onAbort()
    else void before.then(() => end())
  })
}
