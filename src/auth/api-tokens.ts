import { Op, type Transaction } from 'sequelize'
import type { Actor } from '../audit/actor.js'
import type { AuditLog } from '../audit/audit-log.js'
import type { Database } from '../db/database.js'
import type { ApiTokenRow } from '../db/models/api-token.js'
import { ConflictError, UnknownObjectError, ValidationError } from '../errors.js'
import { parseInput } from '../parse-input.js'
import { serversOf } from './app-passwords.js'
import type { IssuedSecret, SecretStore } from './issued-secret.js'
import { isAdminScope, type Scope } from './scope.js'
import { ALL_SERVERS, MAX_SECRETS, newApiToken, requirePermitted, type NewApiToken } from './secret-input.js'
import { newSecret, type ReadSecret } from './secret-text.js'

export interface ApiToken {
  readonly id: number
  readonly userId: number
  readonly name: string
  /** As chosen; those for admins count only while the user is one. */
  readonly scopes: readonly Scope[]
  /** Ids; undefined: all that the user may reach. */
  readonly servers: readonly number[] | undefined
  readonly expiresAt: Date | undefined
  readonly createdAt: Date
  readonly lastUsedAt: Date | undefined
  readonly lastUsedAddress: string | undefined
}

/** Bearer tokens for scripts. */
export class ApiTokens implements SecretStore {
  constructor(
    private readonly database: Database,
    private readonly audit: AuditLog,
  ) {}

  /** The newest first; with those that expired. */
  async list(userId: number): Promise<ApiToken[]> {
    const rows = await this.database.read(() =>
      this.database.models.ApiToken.findAll({ where: { userId }, order: [['id', 'DESC']] }),
    )
    return rows.map(apiTokenOf)
  }

  /**
   * @returns the secret too: nobody can show it again
   * @throws ValidationError, UnknownObjectError, ConflictError (too many)
   */
  async create(userId: number, input: NewApiToken, actor: Actor): Promise<{ token: ApiToken; secret: string }> {
    const { name, scopes, servers, expiresAt } = parseInput(newApiToken, input)
    const { secret, prefix, hash } = newSecret('api-token')
    return this.database.change(async (transaction) => {
      const { models } = this.database
      const user = await models.User.findByPk(userId, { transaction })
      if (!user) throw new UnknownObjectError('There is no such user.')
      if (user.role !== 'admin' && scopes.some(isAdminScope)) {
        throw new ValidationError([{ field: 'scopes', message: 'admin:read and admin:write are for admins only' }])
      }
      await requirePermitted(models, userId, servers, transaction)
      if ((await models.ApiToken.count({ where: { userId }, transaction })) >= MAX_SECRETS) {
        throw new ConflictError(`${user.username} has ${MAX_SECRETS} API tokens already: revoke one first.`)
      }
      const row = await models.ApiToken.create(
        {
          userId,
          name,
          prefix,
          secretHash: hash,
          servers: servers ? JSON.stringify(servers) : null,
          scopes: JSON.stringify(scopes),
          expiresAt: expiresAt ?? null,
        },
        { transaction },
      )
      const limits = { servers: servers ?? ALL_SERVERS, expiresAt: expiresAt?.toISOString() }
      const details = { user: user.username, scopes, ...limits }
      await this.audit.record({ type: 'api-token.created', object: { id: row.id, name }, details }, actor, transaction)
      return { token: apiTokenOf(row), secret }
    })
  }

  /** Ends what is open with it; other logins of the user stay. @throws UnknownObjectError */
  async revoke(userId: number, id: number, actor: Actor): Promise<void> {
    await this.database.change(async (transaction) => {
      const { ApiToken, User } = this.database.models
      const row = await ApiToken.findOne({ where: { id, userId }, include: [User], transaction })
      if (!row) throw new UnknownObjectError('There is no such API token.')
      await row.destroy({ transaction })
      const event = { type: 'api-token.revoked' as const, object: { id, name: row.name } }
      await this.audit.record({ ...event, details: { user: row.User?.username ?? '' } }, actor, transaction)
    })
  }

  async find({ prefix, hash }: ReadSecret): Promise<IssuedSecret | undefined> {
    const { ApiToken, User } = this.database.models
    const row = await this.database.read(() => ApiToken.findOne({ where: { prefix }, include: [User] }))
    if (row?.secretHash !== hash || !row.User) return undefined
    const isAdmin = row.User.role === 'admin'
    return {
      id: row.id,
      name: row.name,
      userId: row.userId,
      username: row.User.username,
      scopes: new Set(scopesOf(row).filter((scope) => isAdmin || !isAdminScope(scope))),
      servers: serversOf(row.servers),
      expiresAt: row.expiresAt ?? undefined,
    }
  }

  async used(id: number, address: string, at: Date, transaction: Transaction): Promise<void> {
    const { ApiToken } = this.database.models
    await ApiToken.update({ lastUsedAt: at, lastUsedAddress: address }, { where: { id }, transaction })
  }

  async ended(ids: readonly string[], now: Date): Promise<Set<string>> {
    const rows = await this.database.read(() =>
      this.database.models.ApiToken.findAll({
        attributes: ['id'],
        where: { id: ids.map(Number), expiresAt: { [Op.or]: [null, { [Op.gt]: now }] } },
      }),
    )
    const valid = new Set(rows.map((row) => String(row.id)))
    return new Set(ids.filter((id) => !valid.has(id)))
  }
}

function scopesOf(row: ApiTokenRow): Scope[] {
  return JSON.parse(row.scopes) as Scope[]
}

function apiTokenOf(row: ApiTokenRow): ApiToken {
  const { id, userId, name, createdAt } = row
  return {
    id,
    userId,
    name,
    scopes: scopesOf(row),
    servers: serversOf(row.servers),
    expiresAt: row.expiresAt ?? undefined,
    createdAt,
    lastUsedAt: row.lastUsedAt ?? undefined,
    lastUsedAddress: row.lastUsedAddress ?? undefined,
  }
}
