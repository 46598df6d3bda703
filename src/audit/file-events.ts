import { LRUCache } from 'lru-cache'
import type { UnchainedEvent } from '../db/stores/audit-store.js'
import type { OperationKind, OperationResult, TreeObserver, TreeOperation } from '../vfs/observer.js'
import type { Actor } from './actor.js'
import type { FileDetails, FileVerb } from './audit-event.js'
import { unchainedEvent } from './unchained-event.js'

/** `coarse`: of looking at and listing a folder, one event per user, folder and result in five minutes. */
export const LISTINGS = ['off', 'coarse', 'all'] as const
export type Listings = (typeof LISTINGS)[number]

export interface FileEventsOptions {
  readonly add: (event: UnchainedEvent) => void
  readonly listings: Listings
  readonly now?: () => number
}

const VERBS: Readonly<Record<OperationKind, FileVerb>> = {
  stat: 'looked-at',
  list: 'listed',
  read: 'read',
  write: 'written',
  'make-directory': 'folder-made',
  remove: 'removed',
  copy: 'copied',
  move: 'moved',
  'set-modified': 'time-set',
  'change-properties': 'properties-changed',
  lock: 'locked',
  'refresh-lock': 'lock-refreshed',
  unlock: 'unlocked',
}

const SAME_LOOK = 5 * 60_000
const REMEMBERED = 20_000
const LONGEST_AGENT = 256

/** Makes an audit event of each operation on files, with its real outcome. Costs no query: the events are queued. */
export class FileEvents implements TreeObserver {
  readonly #looks: LRUCache<string, true>
  readonly #now: () => number

  constructor(private readonly options: FileEventsOptions) {
    this.#now = options.now ?? Date.now
    const perf = { now: this.#now }
    this.#looks = new LRUCache({ max: REMEMBERED, ttl: SAME_LOOK, ttlResolution: 0, perf })
  }

  ended(operation: TreeOperation, result: OperationResult): void {
    const looking = operation.kind === 'stat' || operation.kind === 'list'
    if (looking && !this.#isNews(operation, result)) return
    this.options.add(eventOf(operation, result, new Date(this.#now())))
  }

  #isNews({ kind, userId, client, path, mount }: TreeOperation, { outcome, code }: OperationResult): boolean {
    // A login that the server refuses is refused to each look of a mounted drive.
    if (outcome === 'refused' && code !== 'LOGIN_REJECTED') return true
    const { listings } = this.options
    if (listings !== 'coarse') return listings === 'all'
    const about = code === 'LOGIN_REJECTED' ? `login ${mount?.permissionId}` : kind === 'list' ? path : parentOf(path)
    const key = `${userId} ${client.share?.id ?? ''} ${code ?? ''} ${about}`
    if (this.#looks.has(key)) return false
    this.#looks.set(key, true)
    return true
  }
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf('/')))
}

function eventOf(operation: TreeOperation, { outcome, code, duration }: OperationResult, at: Date): UnchainedEvent {
  const { kind, userId, username, client, path, target, mount, targetMount, bytes } = operation
  const { address, credential } = client
  const actor: Actor =
    credential === undefined
      ? { kind: 'user', userId, username, address }
      : { kind: 'token', userId, username, tokenName: credential, address }
  const details: FileDetails = {
    path,
    ...(target !== undefined && { target }),
    ...(mount && { remoteUser: mount.remoteUser }),
    ...(targetMount && targetMount.remoteUser !== mount?.remoteUser && { targetRemoteUser: targetMount.remoteUser }),
    ...((kind === 'read' || kind === 'write' || bytes > 0) && { bytes }),
    ...(code !== undefined && { code }),
    duration,
    via: client.via,
    userAgent: client.userAgent.slice(0, LONGEST_AGENT),
    ...(client.share && { share: client.share }),
  }
  const object = { id: mount?.serverId ?? 0, name: mount?.alias ?? '/' }
  const { requestId } = client
  return unchainedEvent({ type: `file.${VERBS[kind]}`, object, details }, actor, { at, outcome, requestId })
}
