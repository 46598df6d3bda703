import type { SqliteConnection } from './sqlite-connection.js'

export type RevisionListener = (revision: number) => void | Promise<void>

export interface WatchOptions {
  /** Milliseconds between two looks at the counter. */
  readonly intervalMs?: number
  readonly onChange: RevisionListener
  /** The counter could not be read; it is tried again after the next interval. */
  readonly onError?: (error: unknown) => void
}

export interface Watch {
  stop(): void
}

/**
 * The counter that grows, in the same transaction, with every change that could alter who may reach what. Looking at it
 * tells of the changes that other processes made (the CLI beside a running gateway); own changes are told at once.
 */
export class RevisionCounter {
  readonly #listeners = new Set<RevisionListener>()
  #told = -1

  constructor(private readonly connection: SqliteConnection) {}

  async current(): Promise<number> {
    const [row] = await this.connection.all('SELECT value FROM revision WHERE id = 1')
    return Number(row?.['value'] ?? 0)
  }

  /** Tells every watcher, once per value, and waits until each has dealt with it. */
  async announce(revision: number): Promise<void> {
    if (revision <= this.#told) return
    this.#told = revision
    await Promise.allSettled([...this.#listeners].map(async (listener) => listener(revision)))
  }

  /** Starts to watch; changes from now on are told. */
  async watch({ intervalMs = 300, onChange, onError }: WatchOptions): Promise<Watch> {
    if (this.#told < 0) this.#told = await this.current()
    this.#listeners.add(onChange)
    let stopped = false
    let timer: NodeJS.Timeout | undefined
    const look = async () => {
      try {
        await this.announce(await this.current())
      } catch (error) {
        if (!stopped) onError?.(error)
      }
      if (!stopped) schedule()
    }
    const schedule = () => {
      timer = setTimeout(() => void look(), intervalMs)
      timer.unref()
    }
    schedule()
    return {
      stop: () => {
        stopped = true
        clearTimeout(timer)
        this.#listeners.delete(onChange)
      },
    }
  }
}
