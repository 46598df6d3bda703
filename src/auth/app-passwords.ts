import { Op, type Transaction } from 'sequelize'
import type { Actor } from '../audit/actor.js'
import type { AuditLog } from '../audit/audit-log.js'
import type { Database } from '../db/database.js'
import type { AppPasswordRow } from '../db/models/app-password.js'
import { ConflictError, UnknownObjectError } from '../errors.js'
import { parseInput } from '../parse-input.js'
import { FILE_SCOPES, READ_SCOPES } from './scope.js'
import { ALL_SERVERS, MAX_SECRETS, newAppPassword, requirePermitted, type NewAppPassword } from './secret-input.js'
import type { IssuedSecret, SecretStore } from './issued-secret.js'
import { newSecret, type ReadSecret } from './secret-text.js'

/** For drives and scripts; the login password stays out of their settings. */
export interface AppPassword {
  readonly id: number
  readonly userId: number
  readonly name: string
  /** Ids; undefined: all that the user may reach. */
  readonly servers: readonly number[] | undefined
  readonly readOnly: boolean
  readonly expiresAt: Date | undefined
  readonly createdAt: Date
  readonly lastUsedAt: Date | undefined
  readonly lastUsedAddress: string | undefined
}

export class AppPasswords implements SecretStore {
  constructor(
    private readonly database: Database,
    private readonly audit: AuditLog,
  ) {}

  /** The newest first; with those that expired. */
  async list(userId: number): Promise<AppPassword[]> {
    const rows = await this.database.read(() =>
      this.database.models.AppPassword.findAll({ where: { userId }, order: [['id', 'DESC']] }),
    )
    return rows.map(appPasswordOf)
  }

  /**
   * @returns the secret too: nobody can show it again
   * @throws ValidationError, UnknownObjectError, ConflictError (too many)
   */
  async create(
    userId: number,
    input: NewAppPassword,
    actor: Actor,
  ): Promise<{ appPassword: AppPassword; secret: string }> {
    const { name, servers, readOnly, expiresAt } = parseInput(newAppPassword, input)
    const { secret, prefix, hash } = newSecret('app-password')
    return this.database.change(async (transaction) => {
      const { models } = this.database
      const user = await models.User.findByPk(userId, { transaction })
      if (!user) throw new UnknownObjectError('There is no such user.')
      await requirePermitted(models, userId, servers, transaction)
      if ((await models.AppPassword.count({ where: { userId }, transaction })) >= MAX_SECRETS) {
        throw new ConflictError(`${user.username} has ${MAX_SECRETS} app passwords already: revoke one first.`)
      }
      const row = await models.AppPassword.create(
        {
          userId,
          name,
          prefix,
          secretHash: hash,
          servers: servers ? JSON.stringify(servers) : null,
          readOnly,
          expiresAt: expiresAt ?? null,
        },
        { transaction },
      )
      const limits = { servers: servers ?? ALL_SERVERS, expiresAt: expiresAt?.toISOString() }
      const details = { user: user.username, readOnly, ...limits }
      await this.audit.record(
        { type: 'app-password.created', object: { id: row.id, name }, details },
        actor,
        transaction,
      )
      return { appPassword: appPasswordOf(row), secret }
    })
  }

  /** Ends what is open with it; other logins of the user stay. @throws UnknownObjectError */
  async revoke(userId: number, id: number, actor: Actor): Promise<void> {
    await this.database.change(async (transaction) => {
      const { AppPassword, User } = this.database.models
      const row = await AppPassword.findOne({ where: { id, userId }, include: [User], transaction })
      if (!row) throw new UnknownObjectError('There is no such app password.')
      await row.destroy({ transaction })
      const event = { type: 'app-password.revoked' as const, object: { id, name: row.name } }
      await this.audit.record({ ...event, details: { user: row.User?.username ?? '' } }, actor, transaction)
    })
  }

  async find({ prefix, hash }: ReadSecret): Promise<IssuedSecret | undefined> {
    const { AppPassword, User } = this.database.models
    const row = await this.database.read(() => AppPassword.findOne({ where: { prefix }, include: [User] }))
    // Hashes of 140 random bits: how long the comparison takes tells nothing that helps.
    if (row?.secretHash !== hash || !row.User) return undefined
    const { id, userId, name, expiresAt, readOnly } = row
    return {
      id,
      name,
      userId,
      username: row.User.username,
      scopes: readOnly ? READ_SCOPES : FILE_SCOPES,
      servers: serversOf(row.servers),
      expiresAt: expiresAt ?? undefined,
    }
  }

  async used(id: number, address: string, at: Date, transaction: Transaction): Promise<void> {
    const { AppPassword } = this.database.models
    await AppPassword.update({ lastUsedAt: at, lastUsedAddress: address }, { where: { id }, transaction })
  }

  async ended(ids: readonly string[], now: Date): Promise<Set<string>> {
    const rows = await this.database.read(() =>
      this.database.models.AppPassword.findAll({
        attributes: ['id'],
        where: { id: ids.map(Number), expiresAt: { [Op.or]: [null, { [Op.gt]: now }] } },
      }),
    )
    const valid = new Set(rows.map((row) => String(row.id)))
    return new Set(ids.filter((id) => !valid.has(id)))
  }
}

export function serversOf(stored: string | null): number[] | undefined {
  return stored === null ? undefined : (JSON.parse(stored) as number[])
}

function appPasswordOf(row: AppPasswordRow): AppPassword {
  const { id, userId, name, readOnly, createdAt } = row
  return {
    id,
    userId,
    name,
    servers: serversOf(row.servers),
    readOnly,
    expiresAt: row.expiresAt ?? undefined,
    createdAt,
    lastUsedAt: row.lastUsedAt ?? undefined,
    lastUsedAddress: row.lastUsedAddress ?? undefined,
  }
}
