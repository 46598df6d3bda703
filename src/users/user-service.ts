import { col, fn, Op, where, type Transaction } from 'sequelize'
import type { Actor } from '../audit/actor.js'
import type { AuditLog } from '../audit/audit-log.js'
import type { HashedPassword, PasswordHasher } from '../auth/password-hasher.js'
import type { Database } from '../db/database.js'
import type { UserRow } from '../db/models/user.js'
import { ConflictError, UnknownObjectError } from '../errors.js'
import { parseInput } from '../parse-input.js'
import { judgePassword } from './password-rules.js'
import { hashedPassword, newUser, password as passwordInput, role as roleInput } from './user-input.js'
import type { NewUser, Role } from './user-input.js'
import type { UserListener } from './user-listener.js'

export interface User {
  readonly id: number
  readonly username: string
  readonly role: Role
  readonly disabled: boolean
  /** Grows with every change that must end what is open. */
  readonly authVersion: number
  /** Before anything else in the browser; and no drive takes the password until then. */
  readonly mustChangePassword: boolean
  readonly hasSecondFactor: boolean
  readonly lastLoginAt: Date | undefined
  readonly createdAt: Date
  readonly updatedAt: Date
}

/** What is needed to check a login; for `auth/` and for the export only. */
export interface StoredCredentials {
  readonly userId: number
  readonly username: string
  readonly passwordHash: string
  readonly disabled: boolean
  readonly authVersion: number
  readonly mustChangePassword: boolean
  readonly hasSecondFactor: boolean
}

/** Orders of a search; with `-` in front the other way round. */
export const USER_SORTS = ['username', '-username', 'createdAt', '-createdAt', 'lastLoginAt', '-lastLoginAt'] as const
export type UserSort = (typeof USER_SORTS)[number]

export interface UserSearch {
  /** Anywhere in the name, in any case. */
  readonly text?: string | undefined
  readonly role?: Role | undefined
  readonly disabled?: boolean | undefined
  /** Default: by name. */
  readonly sort?: UserSort | undefined
  readonly offset: number
  /** At most 1000. */
  readonly limit: number
}

/** What no name holds, such as NUL, would break the statement. */
const PART_OF_NAME = /^[a-z0-9._@-]*$/i

/** Methods that change something take the transaction of a caller who changes more; then the caller's rules hold. */
export class UserService {
  constructor(
    private readonly database: Database,
    private readonly audit: AuditLog,
    private readonly hasher: PasswordHasher,
    private readonly listener?: UserListener,
  ) {}

  async list(transaction?: Transaction): Promise<User[]> {
    const rows = await this.database.read(() =>
      this.database.models.User.findAll({ order: [['username', 'ASC']], transaction: transaction ?? null }),
    )
    return rows.map(userOf)
  }

  /** @throws UnknownObjectError */
  async get(id: number, transaction?: Transaction): Promise<User> {
    return userOf(await this.database.read(() => this.#row(id, transaction)))
  }

  async find(username: string, transaction?: Transaction): Promise<User | undefined> {
    if (!PART_OF_NAME.test(username)) return undefined
    const row = await this.database.read(() =>
      this.database.models.User.findOne({ where: { username }, transaction: transaction ?? null }),
    )
    return row ? userOf(row) : undefined
  }

  async count(transaction?: Transaction): Promise<number> {
    return this.database.read(() => this.database.models.User.count({ transaction: transaction ?? null }))
  }

  /** Whether anybody may manage the gateway, or could once enabled again. */
  async hasAdmin(transaction?: Transaction): Promise<boolean> {
    const where = { role: 'admin' as const }
    return (
      (await this.database.read(() => this.database.models.User.count({ where, transaction: transaction ?? null }))) > 0
    )
  }

  /** One page, and how many there are on all pages. */
  async search({ text, role, disabled, sort, offset, limit }: UserSearch): Promise<{ items: User[]; total: number }> {
    if (text !== undefined && !PART_OF_NAME.test(text)) return { items: [], total: 0 }
    const { rows, count } = await this.database.read(() =>
      this.database.models.User.findAndCountAll({
        where: {
          // Not LIKE: `_` is a letter of names.
          ...(text ? { [Op.and]: where(fn('instr', col('username'), text.toLowerCase()), { [Op.gt]: 0 }) } : {}),
          ...(role !== undefined && { role }),
          ...(disabled !== undefined && { disabled }),
        },
        order: orderOf(sort ?? 'username'),
        offset,
        limit: Math.min(limit, 1000),
      }),
    )
    return { items: rows.map(userOf), total: count }
  }

  async credentials(username: string): Promise<StoredCredentials | undefined> {
    if (!PART_OF_NAME.test(username)) return undefined
    const row = await this.database.read(() => this.database.models.User.findOne({ where: { username } }))
    if (!row) return undefined
    const { id: userId, passwordHash, disabled, authVersion, mustChangePassword } = row
    const hasSecondFactor = row.totpConfirmedAt !== null
    return { userId, username, passwordHash, disabled, authVersion, mustChangePassword, hasSecondFactor }
  }

  /** @throws ValidationError, ConflictError (name taken) */
  async create(input: NewUser, actor: Actor, outer?: Transaction): Promise<User> {
    const { password, ...fields } = parseInput(newUser, input)
    const passwordHash = await this.#hashOf(password, fields.username)
    return this.database.change((transaction) => this.#create({ ...fields, passwordHash }, actor, transaction), outer)
  }

  /**
   * The first admin; there may be users already, by a cluster file.
   * @throws ValidationError, ConflictError (there is an admin, or the name is taken; of two who come at once, one hears this)
   */
  async createFirstAdmin(input: Pick<NewUser, 'username' | 'password'>, actor: Actor): Promise<User> {
    const { password, ...fields } = parseInput(newUser, { ...input, role: 'admin' })
    const passwordHash = await this.#hashOf(password, fields.username)
    return this.database.change(async (transaction) => {
      if (await this.hasAdmin(transaction)) throw new ConflictError('FTPCluster is set up already: log in.')
      return this.#create({ ...fields, passwordHash }, actor, transaction)
    })
  }

  /** @throws ValidationError, UnknownObjectError, ConflictError (last active admin) */
  async setRole(id: number, input: Role, actor: Actor, outer?: Transaction): Promise<User> {
    const role = parseInput(roleInput, input, 'role')
    return this.database.change(async (transaction) => {
      const row = await this.#row(id, transaction)
      const from = row.role
      if (from === role) return userOf(row)
      if (from === 'admin') await this.#keepAnAdmin(row, transaction)
      await row.update({ role, authVersion: row.authVersion + 1 }, { transaction })
      const details = { from, to: role }
      await this.audit.record({ type: 'user.role-changed', object: objectOf(row), details }, actor, transaction)
      return userOf(row)
    }, outer)
  }

  /**
   * Ends everything that is open under the old password; the caller gives the own session the new `authVersion`.
   * @param options.mustChange the user has to choose another one at the next login
   * @throws ValidationError, UnknownObjectError
   */
  async setPassword(
    id: number,
    input: string | HashedPassword,
    actor: Actor,
    { mustChange = false }: { readonly mustChange?: boolean | undefined } = {},
    outer?: Transaction,
  ): Promise<void> {
    const password =
      typeof input === 'string'
        ? parseInput(passwordInput, input, 'password')
        : parseInput(hashedPassword, input, 'password')
    const { username } = await this.database.read(() => this.#row(id, outer))
    const passwordHash = await this.#hashOf(password, username)
    await this.database.change(async (transaction) => {
      const row = await this.#row(id, transaction)
      const fields = { passwordHash, authVersion: row.authVersion + 1, mustChangePassword: mustChange }
      await row.update(fields, { transaction })
      await this.audit.record({ type: 'user.password-changed', object: objectOf(row), details: {} }, actor, transaction)
    }, outer)
  }

  /** @throws UnknownObjectError, ConflictError (last active admin) */
  async setDisabled(id: number, disabled: boolean, actor: Actor, outer?: Transaction): Promise<User> {
    return this.database.change(async (transaction) => {
      const row = await this.#row(id, transaction)
      if (row.disabled === disabled) return userOf(row)
      if (disabled) await this.#keepAnAdmin(row, transaction)
      await row.update({ disabled, authVersion: row.authVersion + 1 }, { transaction })
      const type = disabled ? 'user.disabled' : 'user.enabled'
      await this.audit.record({ type, object: objectOf(row), details: {} }, actor, transaction)
      await this.listener?.disabled(id, disabled, actor, transaction)
      return userOf(row)
    }, outer)
  }

  /** Removes the user's permissions too. @throws UnknownObjectError, ConflictError (last active admin) */
  async remove(id: number, actor: Actor, outer?: Transaction): Promise<void> {
    await this.database.change(async (transaction) => {
      const row = await this.#row(id, transaction)
      await this.#keepAnAdmin(row, transaction)
      await this.listener?.removed(id, actor, transaction)
      await row.destroy({ transaction })
      await this.audit.record({ type: 'user.removed', object: objectOf(row), details: {} }, actor, transaction)
    }, outer)
  }

  async #hashOf(password: string | HashedPassword, username: string): Promise<string> {
    if (typeof password !== 'string') return password.hash
    await judgePassword(password, username)
    return (await this.hasher.hash(password)).hash
  }

  async #create(
    fields: Pick<UserRow, 'username' | 'passwordHash' | 'role' | 'mustChangePassword'>,
    actor: Actor,
    transaction: Transaction,
  ): Promise<User> {
    const { User } = this.database.models
    const { username, role } = fields
    if (await User.findOne({ where: { username }, transaction })) {
      throw new ConflictError(`There is a user ${username} already.`)
    }
    const row = await User.create(fields, { transaction })
    await this.audit.record({ type: 'user.created', object: objectOf(row), details: { role } }, actor, transaction)
    return userOf(row)
  }

  async #row(id: number, transaction?: Transaction): Promise<UserRow> {
    const row = await this.database.models.User.findByPk(id, { transaction: transaction ?? null })
    if (!row) throw new UnknownObjectError('There is no such user.')
    return row
  }

  /** Transactions are IMMEDIATE, so that of two who leave at once, the second one sees the first one gone. */
  async #keepAnAdmin(leaving: UserRow, transaction: Transaction): Promise<void> {
    if (leaving.role !== 'admin' || leaving.disabled) return
    const admins = await this.database.models.User.count({ where: { role: 'admin', disabled: false }, transaction })
    if (admins <= 1) {
      throw new ConflictError(`${leaving.username} is the last active admin: make another user an admin first.`)
    }
  }
}

function objectOf(row: UserRow) {
  return { id: row.id, name: row.username }
}

function userOf(row: UserRow): User {
  const { id, username, role, disabled, authVersion, mustChangePassword, createdAt, updatedAt } = row
  return {
    id,
    username,
    role,
    disabled,
    authVersion,
    mustChangePassword,
    // A row that was just made has only what it was made with.
    hasSecondFactor: (row.totpConfirmedAt ?? null) !== null,
    lastLoginAt: row.lastLoginAt ?? undefined,
    createdAt,
    updatedAt,
  }
}

function orderOf(sort: UserSort): [string, 'ASC' | 'DESC'][] {
  const descending = sort.startsWith('-')
  const direction = descending ? 'DESC' : 'ASC'
  const field = descending ? sort.slice(1) : sort
  // Names are unique: every order is one, and pages do not overlap.
  return field === 'username'
    ? [[field, direction]]
    : [
        [field, direction],
        ['username', 'ASC'],
      ]
}
