import { LRUCache } from 'lru-cache'
import type { Transaction } from 'sequelize'
import type { Actor } from '../audit/actor.js'
import type { AuditEvent } from '../audit/audit-event.js'
import type { AuditLog } from '../audit/audit-log.js'
import type { Database } from '../db/database.js'
import { DatabaseError } from '../db/errors.js'
import type { SecretStore } from './issued-secret.js'
import { networkOf } from './network.js'

/** How somebody came, or tried to. */
export type LoginWay = 'password' | 'app-password' | 'session' | 'jwt' | 'api-token'

export interface Login {
  readonly userId: number
  readonly username: string
  readonly via: LoginWay
  readonly credential?: { readonly id: number; readonly name: string } | undefined
}

export interface RefusedAttempt {
  /** As it was typed; tokens say none. */
  readonly username: string | undefined
  /** When there is such a user. */
  readonly userId?: number | undefined
  readonly via: LoginWay
  readonly reason: string
}

type Work = (transaction: Transaction) => Promise<void>

/** Notes that wait for the database at most; the oldest are given up first, and `onError` hears of it. */
const MAX_WAITING = 5000
const BATCH = 100
const RETRY_AFTER = 1000
/** Use of an app password or token is noted as often, ms. */
const USED_EVERY = 60_000
/** An attempt that was refused unseen is noted once in this time, ms. */
const SAME_REFUSAL = 60_000

/**
 * Notes logins and refusals: audit, last login, last use. In the background, in order, many in one transaction: nobody who
 * logs in waits for it.
 */
export class Logins {
  readonly #waiting: Work[] = []
  readonly #used: LRUCache<string, true>
  readonly #refused: LRUCache<string, true>
  #writing: Promise<void> | undefined
  #retry: NodeJS.Timeout | undefined
  #lost = 0

  constructor(
    private readonly database: Database,
    private readonly audit: AuditLog,
    private readonly secrets: Readonly<Record<'app-password' | 'api-token', Pick<SecretStore, 'used'>>>,
    private readonly onError: (error: unknown) => void,
    private readonly now: () => number = Date.now,
  ) {
    const perf = { now }
    this.#used = new LRUCache({ max: 10_000, ttl: USED_EVERY, ttlResolution: 0, perf })
    this.#refused = new LRUCache({ max: 10_000, ttl: SAME_REFUSAL, ttlResolution: 0, perf })
  }

  /** A session, JWT or drive began. Not for each of its requests. */
  succeeded({ userId, username, via, credential }: Login, address: string): void {
    const at = new Date(this.now())
    const actor: Actor = { kind: 'user', userId, username, address }
    const details = { via, credential: credential?.name }
    const event: AuditEvent = { type: 'login.succeeded', object: { id: userId, name: username }, details }
    this.#add(async (transaction) => {
      const { User } = this.database.models
      await User.update({ lastLoginAt: at }, { where: { id: userId }, silent: true, transaction })
      await this.audit.record(event, actor, transaction)
    })
  }

  /** @param unseen the attempt was not looked at; floods of those are noted once a minute */
  refused({ username = '', userId = 0, via, reason }: RefusedAttempt, address: string, unseen = false): void {
    const name = username.slice(0, 64)
    const key = `${networkOf(address)} ${via} ${reason} ${name}`
    if (unseen && this.#refused.has(key)) return
    this.#refused.set(key, true)
    const actor: Actor = { kind: 'stranger', username: name, address }
    const event: AuditEvent = { type: 'login.refused', object: { id: userId, name }, details: { via, reason } }
    this.#add((transaction) => this.audit.record(event, actor, transaction))
  }

  /** An app password or token let a request in. Cheap: for each request. */
  used(kind: 'app-password' | 'api-token', id: number, address: string): void {
    const key = `${kind} ${id}`
    if (this.#used.has(key)) return
    this.#used.set(key, true)
    const at = new Date(this.now())
    this.#add((transaction) => this.secrets[kind].used(id, address.slice(0, 64), at, transaction))
  }

  /** Waits until everything is written that can be. */
  async stop(): Promise<void> {
    clearTimeout(this.#retry)
    this.#retry = undefined
    await this.#writing
    await this.#write()
    clearTimeout(this.#retry)
  }

  #add(work: Work): void {
    this.#waiting.push(work)
    if (this.#waiting.length > MAX_WAITING) {
      this.#waiting.shift()
      this.#lost++
    }
    if (this.#retry === undefined) this.#writing ??= this.#write()
  }

  async #write(): Promise<void> {
    let batch: Work[] = []
    try {
      while (this.#waiting.length > 0) {
        batch = this.#waiting.splice(0, BATCH)
        await this.database.transaction(async (transaction) => {
          for (const work of batch) await work(transaction)
        })
      }
      if (this.#lost > 0) this.onError(new Error(`${this.#lost} logins could not be noted`))
      this.#lost = 0
    } catch (error) {
      this.onError(error)
      if (error instanceof DatabaseError) this.#waiting.unshift(...batch)
      else this.#lost += batch.length
      this.#retry = setTimeout(() => {
        this.#retry = undefined
        if (this.#waiting.length > 0) this.#writing ??= this.#write()
      }, RETRY_AFTER)
      this.#retry.unref()
    } finally {
      this.#writing = undefined
    }
  }
}
