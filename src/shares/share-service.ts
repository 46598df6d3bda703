import { RateLimiterMemory } from 'rate-limiter-flexible'
import { Op, type Transaction, type WhereOptions } from 'sequelize'
import type { Actor } from '../audit/actor.js'
import type { AuditLog } from '../audit/audit-log.js'
import type { Database } from '../db/database.js'
import type { PermissionRow } from '../db/models/permission.js'
import type { ShareRow } from '../db/models/share.js'
import { ConflictError, UnknownObjectError, ValidationError } from '../errors.js'
import { parseInput } from '../parse-input.js'
import { splitMount, virtualPath } from '../vfs/virtual-path.js'
import { newShare, shareChanges, type NewShare, type ShareChanges } from './share-input.js'
import { shareOf, type Share, type ShareKind } from './share.js'

/** Of one owner. */
const MAX_SHARES = 500
/** Names without a user that one owner may try in an hour: who guesses learns no list of names. */
const WRONG_NAMES = { points: 20, duration: 3600 }

/** Methods that change something take the transaction of a caller who changes more; then the caller's rules hold. */
export class ShareService {
  readonly #wrongNames = new RateLimiterMemory(WRONG_NAMES)

  constructor(
    private readonly database: Database,
    private readonly audit: AuditLog,
    private readonly now: () => number = Date.now,
  ) {}

  /** What somebody shares, the newest first; with what opens nothing now. */
  async sharedBy(ownerId: number): Promise<Share[]> {
    return (await this.#list({}, { userId: ownerId })).map((row) => shareOf(row, this.now()))
  }

  /** What somebody can open now, the newest first. */
  async sharedWith(recipientId: number): Promise<Share[]> {
    const shares = (await this.#list({ recipientId })).map((row) => shareOf(row, this.now()))
    return shares.filter(({ blocked }) => blocked === undefined)
  }

  /** All of everybody, the newest first: for the access review. */
  async list(): Promise<Share[]> {
    return (await this.#list({})).map((row) => shareOf(row, this.now()))
  }

  /** One that the user shares or is given. @throws UnknownObjectError */
  async get(id: number, userId: number, transaction?: Transaction): Promise<Share> {
    const share = shareOf(await this.database.read(() => this.#row(id, transaction)), this.now())
    const given = share.recipientId === userId && share.blocked === undefined
    if (share.ownerId !== userId && !given) throw unknownShare()
    return share
  }

  /** One that the user may open now. @throws UnknownObjectError for every other one, whatever the reason */
  async opened(id: number, recipientId: number): Promise<Share> {
    const share = await this.get(id, recipientId)
    if (share.recipientId !== recipientId || share.blocked !== undefined) throw unknownShare()
    return share
  }

  /**
   * @param kind of what stands at the path: the caller has looked, by the owner's tree
   * @throws ValidationError (also, and alike, for who is not there, is disabled or is the owner), UnknownObjectError (the owner
   *   has no permission there), ConflictError (shared already, too many, too many wrong names)
   */
  async create(ownerId: number, input: NewShare, kind: ShareKind, actor: Actor, outer?: Transaction): Promise<Share> {
    const fields = parseInput(newShare, input)
    const { alias = '', rest = [] } = splitMount(virtualPath(fields.path.split('/'))) ?? {}
    const path = rest.join('/')
    const tried = await this.#wrongNames.get(ownerId)
    if (tried !== null && tried.consumedPoints >= WRONG_NAMES.points) {
      throw new ConflictError('Too many names that nobody here has. Try again in an hour.')
    }
    return this.database.change(async (transaction) => {
      const { models } = this.database
      const others = { username: fields.recipient, disabled: false, id: { [Op.ne]: ownerId } }
      const recipient = await models.User.findOne({ where: others, transaction })
      if (!recipient) {
        await this.#wrongNames.penalty(ownerId)
        throw new ValidationError([{ field: 'recipient', message: 'is nobody whom you can share with' }])
      }
      const permissions = await models.Permission.findAll({
        where: { userId: ownerId },
        include: [models.User, models.Server],
        transaction,
      })
      const permission = permissions.find(({ Server }) => Server?.alias === alias)
      if (!permission?.User) throw new UnknownObjectError('You have no permission on such a server.')
      const where = { permissionId: permission.id, recipientId: recipient.id, path }
      if (await models.Share.findOne({ where, transaction })) {
        throw new ConflictError(`You share this with ${recipient.username} already.`)
      }
      const mine = { permissionId: permissions.map(({ id }) => id) }
      if ((await models.Share.count({ where: mine, transaction })) >= MAX_SHARES) {
        throw new ConflictError(`You share ${MAX_SHARES} files and folders already: end one first.`)
      }
      const row = await models.Share.create(
        {
          ...where,
          kind,
          remoteUser: permission.remoteUser ?? permission.User.username,
          root: permission.root,
          note: fields.note ?? '',
          endsAt: fields.endsAt ?? null,
        },
        { transaction },
      )
      const share = shareOf(await this.#row(row.id, transaction), this.now())
      const details = { ...detailsOf(share), kind, endsAt: share.endsAt?.toISOString() }
      await this.audit.record({ type: 'share.created', object: objectOf(share), details }, actor, transaction)
      return share
    }, outer)
  }

  /** Note and end, by the owner. @throws ValidationError, UnknownObjectError */
  async update(id: number, ownerId: number, input: ShareChanges, actor: Actor, outer?: Transaction): Promise<Share> {
    const fields = parseInput(shareChanges, input)
    return this.database.change(async (transaction) => {
      const row = await this.#row(id, transaction)
      if (row.Permission?.userId !== ownerId) throw unknownShare()
      const next = {
        note: fields.note ?? row.note,
        endsAt: fields.endsAt === undefined ? row.endsAt : fields.endsAt,
      }
      const changed = (['note', 'endsAt'] as const).filter((field) => row[field]?.valueOf() !== next[field]?.valueOf())
      const valuesOf = () => Object.fromEntries(changed.map((field) => [field, row[field]]))
      const before = valuesOf()
      await row.update(next, { transaction })
      const share = shareOf(row, this.now())
      if (changed.length > 0) {
        const details = { ...detailsOf(share), fields: changed, before, after: valuesOf() }
        await this.audit.record({ type: 'share.updated', object: objectOf(share), details }, actor, transaction)
      }
      return share
    }, outer)
  }

  /**
   * Ends a share: by its owner, by who was given it, or, without `userId`, by an admin. What is under way by it ends.
   * @throws UnknownObjectError
   */
  async end(id: number, userId: number | undefined, actor: Actor, outer?: Transaction): Promise<void> {
    await this.database.change(async (transaction) => {
      const row = await this.#row(id, transaction)
      const share = shareOf(row, this.now())
      if (userId !== undefined && userId !== share.ownerId && userId !== share.recipientId) throw unknownShare()
      await row.destroy({ transaction })
      const details = detailsOf(share)
      await this.audit.record({ type: 'share.ended', object: objectOf(share), details }, actor, transaction)
    }, outer)
  }

  /** Those of `ids` that may not be used any more: what is under way by them ends. */
  async ended(ids: readonly string[], now: Date): Promise<Set<string>> {
    const rows = await this.#list({ id: ids.map(Number) })
    const open = rows.filter((row) => shareOf(row, now.getTime()).blocked === undefined)
    const valid = new Set(open.map(({ id }) => String(id)))
    return new Set(ids.filter((id) => !valid.has(id)))
  }

  async #list(where: WhereOptions<ShareRow>, permission?: WhereOptions<PermissionRow>): Promise<ShareRow[]> {
    return this.database.read(() =>
      this.database.models.Share.findAll({ where, include: this.#around(permission), order: [['id', 'DESC']] }),
    )
  }

  async #row(id: number, transaction?: Transaction): Promise<ShareRow> {
    const { Share } = this.database.models
    const row = await Share.findByPk(id, { include: this.#around(), transaction: transaction ?? null })
    if (!row) throw unknownShare()
    return row
  }

  #around(permission?: WhereOptions<PermissionRow>) {
    const { Permission, User, Server } = this.database.models
    return [
      { model: Permission, include: [User, Server], ...(permission && { where: permission }) },
      { model: User, as: 'Recipient' },
    ]
  }
}

/** The same for one that never was, is somebody else's, or opens nothing any more. */
function unknownShare(): UnknownObjectError {
  return new UnknownObjectError('There is no such share, or it has ended.')
}

function objectOf({ id, name }: Share) {
  return { id, name }
}

function detailsOf({ owner, recipient, path }: Share) {
  return { owner, recipient, path }
}
