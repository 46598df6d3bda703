import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { Op, type Transaction } from 'sequelize'
import { actorName, type Actor } from '../audit/actor.js'
import type { AuditLog } from '../audit/audit-log.js'
import type { Database } from '../db/database.js'
import type { SessionRow } from '../db/models/session.js'
import { UnknownObjectError } from '../errors.js'

/** A session as its user may see it. */
export interface SessionInfo {
  /** SHA-256 of the id: names the session, and is no key to it. */
  readonly key: string
  readonly userId: number
  readonly createdAt: Date
  readonly lastSeenAt: Date
  readonly address: string
  readonly userAgent: string
}

export interface SessionRecord extends Omit<SessionInfo, 'userId'> {
  /** Undefined until somebody logs in. */
  readonly userId: number | undefined
  readonly data: string
  readonly expiresAt: Date
}

export interface SavedSession {
  readonly userId?: number | undefined
  readonly data: string
  readonly address: string
  readonly userAgent: string
  readonly expiresAt: Date
}

export interface SessionLimits {
  /** The longest unused ones end when a user has more. */
  readonly perUser?: number
  /** Of visitors who have not logged in. */
  readonly anonymous?: number
  /** New ones until the next sweep, whatever the time: a flood of visitors stays bounded. */
  readonly sweepAfter?: number
}

const KEY = /^[\w-]{43}$/

/** `lastSeenAt` is exact to this, ms: not every request writes. */
const SEEN_EVERY = 60_000

/**
 * Sessions of browsers, kept by the hash of their id: whoever reads the database cannot take one over. One that ended
 * stays ended, also when a request that began before saves it again.
 */
export class Sessions {
  readonly #seen: LRUCache<string, true>
  readonly #perUser: number
  readonly #anonymous: number
  readonly #sweepAfter: number
  #made = 0

  constructor(
    private readonly database: Database,
    private readonly audit: AuditLog,
    { perUser = 50, anonymous = 10_000, sweepAfter = 1000 }: SessionLimits = {},
    private readonly now: () => number = Date.now,
  ) {
    this.#perUser = perUser
    this.#anonymous = anonymous
    this.#sweepAfter = sweepAfter
    this.#seen = new LRUCache({ max: 10_000, ttl: SEEN_EVERY, ttlResolution: 0, perf: { now } })
  }

  /** Undefined when there is none, or not any more. @throws DatabaseError */
  async load(id: string): Promise<SessionRecord | undefined> {
    const row = await this.database.read(() => this.database.models.Session.findByPk(keyOf(id)))
    if (!row || row.endedAt || row.expiresAt.getTime() <= this.now()) return undefined
    return { ...infoOf(row), userId: row.userId ?? undefined, data: row.data, expiresAt: row.expiresAt }
  }

  /** Makes or replaces a session; one that ended is left alone. @throws DatabaseError */
  async save(id: string, session: SavedSession): Promise<void> {
    const key = keyOf(id)
    const now = new Date(this.now())
    const fields = {
      userId: session.userId ?? null,
      data: session.data,
      address: session.address.slice(0, 64),
      userAgent: session.userAgent.slice(0, 256),
      lastSeenAt: now,
      expiresAt: session.expiresAt,
    }
    await this.database.transaction(async (transaction) => {
      const { Session } = this.database.models
      const row = await Session.findByPk(key, { transaction })
      if (row?.endedAt) return
      if (row) await row.update(fields, { transaction })
      else await Session.create({ key, createdAt: now, ...fields }, { transaction })
      if (!row) this.#made++
      if (row?.userId !== fields.userId && fields.userId !== null) await this.#keepNewest(fields.userId, transaction)
    })
    this.#seen.set(key, true)
    if (this.#made < this.#sweepAfter) return
    this.#made = 0
    await this.sweep()
  }

  /** Notes that the session was used; `lastSeenAt` moves at most once a minute. @throws DatabaseError */
  async touch(id: string, expiresAt: Date): Promise<void> {
    const key = keyOf(id)
    if (this.#seen.has(key)) return
    this.#seen.set(key, true)
    await this.database.transaction(async (transaction) => {
      const fields = { lastSeenAt: new Date(this.now()), expiresAt }
      await this.database.models.Session.update(fields, { where: { key, endedAt: null }, transaction })
    })
  }

  /** Under this id there is no session any more. @throws DatabaseError */
  async destroy(id: string): Promise<void> {
    await this.database.transaction((transaction) => this.#end({ key: keyOf(id) }, transaction))
  }

  /** The logout: also ends what is under way by the session. @throws DatabaseError */
  async logOut(id: string, userId: number, actor: Actor): Promise<void> {
    await this.database.transaction(async (transaction) => {
      if ((await this.#end({ key: keyOf(id), userId, ...this.#open() }, transaction)) === 0) return
      const object = { id: userId, name: actorName(actor) }
      await this.audit.record({ type: 'login.ended', object, details: { via: 'session' } }, actor, transaction)
    })
  }

  /** Which of these were ended by somebody; one that only expired, or is swept away since, was not. @throws DatabaseError */
  async ended(keys: readonly string[]): Promise<Set<string>> {
    const { Session } = this.database.models
    const rows = await this.database.read(() =>
      Session.findAll({ attributes: ['key'], where: { key: [...keys], endedAt: { [Op.ne]: null } } }),
    )
    return new Set(rows.map(({ key }) => key))
  }

  /** Those that are open, the last used first. */
  async list(userId: number): Promise<SessionInfo[]> {
    const rows = await this.database.read(() =>
      this.database.models.Session.findAll({
        where: { userId, ...this.#open() },
        order: [
          ['lastSeenAt', 'DESC'],
          ['createdAt', 'DESC'],
        ],
      }),
    )
    return rows.map((row) => ({ ...infoOf(row), userId }))
  }

  /** @throws UnknownObjectError */
  async end(userId: number, key: string, actor: Actor): Promise<void> {
    if (!KEY.test(key)) throw new UnknownObjectError('There is no such session.')
    await this.database.transaction(async (transaction) => {
      const ended = await this.#end({ userId, key, ...this.#open() }, transaction)
      if (ended === 0) throw new UnknownObjectError('There is no such session.')
      await this.#record(userId, ended, actor, transaction)
    })
  }

  /** @returns how many ended */
  endOthers(userId: number, keepId: string, actor: Actor): Promise<number> {
    return this.#endMany({ userId, key: { [Op.ne]: keyOf(keepId) } }, userId, actor)
  }

  /** @returns how many ended */
  endAll(userId: number, actor: Actor, outer?: Transaction): Promise<number> {
    return this.#endMany({ userId }, userId, actor, outer)
  }

  /** Deletes what expired, and the longest unused of visitors above the bound. @returns how many went */
  async sweep(): Promise<number> {
    const { Session } = this.database.models
    return this.database.transaction(async (transaction) => {
      const expired = await Session.destroy({ where: { expiresAt: { [Op.lte]: new Date(this.now()) } }, transaction })
      const surplus = await Session.findAll({
        attributes: ['key'],
        where: { userId: null },
        order: [['lastSeenAt', 'DESC']],
        offset: this.#anonymous,
        limit: 10_000,
        transaction,
      })
      const keys = surplus.map(({ key }) => key)
      // SQLite takes 32766 parameters.
      return expired + (keys.length > 0 ? await Session.destroy({ where: { key: keys }, transaction }) : 0)
    })
  }

  async #endMany(where: object, userId: number, actor: Actor, outer?: Transaction): Promise<number> {
    return this.database.transaction(async (transaction) => {
      const ended = await this.#end({ ...where, ...this.#open() }, transaction)
      if (ended > 0) await this.#record(userId, ended, actor, transaction)
      return ended
    }, outer)
  }

  async #end(where: object, transaction: Transaction): Promise<number> {
    const fields = { endedAt: new Date(this.now()), data: '{}' }
    const [ended] = await this.database.models.Session.update(fields, {
      where: { ...where, endedAt: null },
      transaction,
    })
    return ended
  }

  async #keepNewest(userId: number, transaction: Transaction): Promise<void> {
    const surplus = await this.database.models.Session.findAll({
      attributes: ['key'],
      where: { userId, ...this.#open() },
      order: [
        ['lastSeenAt', 'DESC'],
        ['createdAt', 'DESC'],
      ],
      offset: this.#perUser,
      limit: 1000,
      transaction,
    })
    if (surplus.length > 0) await this.#end({ key: surplus.map(({ key }) => key) }, transaction)
  }

  #open() {
    return { endedAt: null, expiresAt: { [Op.gt]: new Date(this.now()) } }
  }

  async #record(userId: number, sessions: number, actor: Actor, transaction: Transaction): Promise<void> {
    const user = await this.database.models.User.findByPk(userId, { transaction })
    const object = { id: userId, name: user?.username ?? '' }
    await this.audit.record({ type: 'user.sessions-ended', object, details: { sessions } }, actor, transaction)
  }
}

/** `SessionInfo.key` of the session with this id. */
export function keyOf(id: string): string {
  return createHash('sha256').update(id).digest('base64url')
}

function infoOf(row: SessionRow) {
  const { key, createdAt, lastSeenAt, address, userAgent } = row
  return { key, createdAt, lastSeenAt, address, userAgent }
}
