import { LRUCache } from 'lru-cache'
import type { Actor } from '../audit/actor.js'
import { KeptWith } from '../heap/kept-with.js'
import { Slots } from '../heap/slots.js'
import type { Client, OperationKind, TreeObserver, TreeOperation } from '../vfs/observer.js'

/** Something that lasts as long as its bytes take: a transfer, a copy, the removal of a folder. */
export interface RunningOperation {
  /** Names it in this process. */
  readonly id: string
  readonly userId: number
  readonly user: string
  /** Undefined for the top folder and for a server that the user may not reach. */
  readonly alias: string | undefined
  /** Virtual path. */
  readonly path: string
  /** Of a copy or a move. */
  readonly target: string | undefined
  readonly kind: OperationKind
  /** Bytes so far. */
  readonly bytes: number
  readonly total: number | undefined
  readonly startedAt: Date
  readonly client: Client
}

/** Somebody at one address with one program. */
export interface ConnectedClient {
  readonly userId: number
  readonly user: string
  readonly address: string
  readonly userAgent: string
  readonly via: Client['via']
  readonly credential: string | undefined
  readonly firstSeenAt: Date
  readonly lastSeenAt: Date
  readonly requests: number
}

export interface ActivityOptions {
  /** Is told who ended what. */
  readonly onEnded?: (operation: RunningOperation, actor: Actor) => void
  readonly now?: () => number
}

const MOST_CLIENTS = 1000
/** Who was not seen for so long is not connected. */
const FORGOTTEN_AFTER = 24 * 3_600_000
/** What a client may call itself at most. */
const LONGEST_NAME = 256

/** What goes on now: transfers and who is there. In memory, and bounded: by the requests under way, and by the newest clients. */
export class Activity implements TreeObserver {
  readonly #running = new Slots<{ readonly operation: TreeOperation; readonly id: number }>()
  readonly #slots = new KeptWith<TreeOperation, number>('slot')
  readonly #clients: LRUCache<string, { -readonly [K in keyof ConnectedClient]: ConnectedClient[K] }>
  readonly #now: () => number
  #lastId = 0

  constructor(private readonly options: ActivityOptions = {}) {
    this.#now = options.now ?? Date.now
    const perf = { now: this.#now }
    this.#clients = new LRUCache({ max: MOST_CLIENTS, ttl: FORGOTTEN_AFTER, ttlResolution: 0, perf })
  }

  /** The oldest first. */
  running(): RunningOperation[] {
    return [...this.#running].sort((a, b) => a.id - b.id).map(shown)
  }

  /** Ends one operation: whoever asked for it gets ENDED. @returns false when there is none by this id (any more) */
  end(id: string, actor: Actor): boolean {
    for (const running of this.#running) {
      if (String(running.id) !== id) continue
      running.operation.end?.()
      this.options.onEnded?.(shown(running), actor)
      return true
    }
    return false
  }

  /** Who was there in the last 24 hours, at most 1000, the last seen first. */
  clients(): ConnectedClient[] {
    return [...this.#clients.values()].map((client) => ({ ...client }))
  }

  /** A user has sent a request. */
  seen({ userId, username }: { readonly userId: number; readonly username: string }, client: Client): void {
    const { address, via, credential } = client
    const userAgent = client.userAgent.slice(0, LONGEST_NAME)
    const key = `${userId}\n${address}\n${via}\n${credential ?? ''}\n${userAgent}`
    const known = this.#clients.get(key)
    const at = new Date(this.#now())
    if (known === undefined) {
      const times = { firstSeenAt: at, lastSeenAt: at, requests: 1 }
      this.#clients.set(key, { userId, user: username, address, userAgent, via, credential, ...times })
      return
    }
    known.lastSeenAt = at
    known.requests++
    // Again: its time to live begins anew.
    this.#clients.set(key, known)
  }

  started(operation: TreeOperation): void {
    if (operation.end) this.#slots.set(operation, this.#running.add({ operation, id: ++this.#lastId }))
  }

  ended(operation: TreeOperation): void {
    const slot = this.#slots.get(operation)
    if (slot === undefined) return
    this.#slots.delete(operation)
    this.#running.remove(slot)
  }
}

function shown({ operation, id }: { readonly operation: TreeOperation; readonly id: number }): RunningOperation {
  const { userId, username, mount, path, target, kind, bytes, total, startedAt, client } = operation
  const alias = mount?.alias
  return {
    id: String(id),
    userId,
    user: username,
    alias,
    path,
    target,
    kind,
    bytes,
    total,
    startedAt: new Date(startedAt),
    client,
  }
}
