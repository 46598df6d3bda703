import type { Transaction } from 'sequelize'
import type { Actor } from '../audit/actor.js'
import type { AuditLog } from '../audit/audit-log.js'
import type { HashedPassword, PasswordHasher } from '../auth/password-hasher.js'
import type { Database } from '../db/database.js'
import type { UserRow } from '../db/models/user.js'
import { ConflictError, UnknownObjectError } from '../errors.js'
import { parseInput } from '../parse-input.js'
import { hashedPassword, newUser, password as passwordInput, role as roleInput } from './user-input.js'
import type { NewUser, Role } from './user-input.js'

export interface User {
  readonly id: number
  readonly username: string
  readonly role: Role
  readonly disabled: boolean
  /** Grows with every change that must end what is open. */
  readonly authVersion: number
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
}

/** Methods that change something take the transaction of a caller who changes more; then the caller's rules hold. */
export class UserService {
  constructor(
    private readonly database: Database,
    private readonly audit: AuditLog,
    private readonly hasher: PasswordHasher,
  ) {}

  async list(transaction?: Transaction): Promise<User[]> {
    const rows = await this.database.read(() =>
      this.database.models.User.findAll({ order: [['username', 'ASC']], transaction: transaction ?? null }),
    )
    return rows.map(userOf)
  }

  /** @throws UnknownObjectError */
  async get(id: number, transaction?: Transaction): Promise<User> {
    return userOf(await this.database.read(() => this.#row(id, transaction ?? null)))
  }

  async find(username: string, transaction?: Transaction): Promise<User | undefined> {
    const row = await this.database.read(() =>
      this.database.models.User.findOne({ where: { username }, transaction: transaction ?? null }),
    )
    return row ? userOf(row) : undefined
  }

  async credentials(username: string): Promise<StoredCredentials | undefined> {
    const row = await this.database.read(() => this.database.models.User.findOne({ where: { username } }))
    if (!row) return undefined
    const { id: userId, passwordHash, disabled, authVersion } = row
    return { userId, username, passwordHash, disabled, authVersion }
  }

  /** @throws ValidationError, ConflictError (name taken) */
  async create(input: NewUser, actor: Actor, outer?: Transaction): Promise<User> {
    const { username, password, role } = parseInput(newUser, input)
    const { hash } = typeof password === 'string' ? await this.hasher.hash(password) : password
    return this.database.change(async (transaction) => {
      const { User } = this.database.models
      if (await User.findOne({ where: { username }, transaction })) {
        throw new ConflictError(`There is a user ${username} already.`)
      }
      const row = await User.create({ username, passwordHash: hash, role }, { transaction })
      await this.audit.record({ type: 'user.created', object: objectOf(row), details: { role } }, actor, transaction)
      return userOf(row)
    }, outer)
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

  /** Ends everything that is open under the old password. @throws ValidationError, UnknownObjectError */
  async setPassword(id: number, input: string | HashedPassword, actor: Actor, outer?: Transaction): Promise<void> {
    const { hash } =
      typeof input === 'string'
        ? await this.hasher.hash(parseInput(passwordInput, input, 'password'))
        : parseInput(hashedPassword, input, 'password')
    await this.database.change(async (transaction) => {
      const row = await this.#row(id, transaction)
      await row.update({ passwordHash: hash, authVersion: row.authVersion + 1 }, { transaction })
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
      return userOf(row)
    }, outer)
  }

  /** Removes the user's permissions too. @throws UnknownObjectError, ConflictError (last active admin) */
  async remove(id: number, actor: Actor, outer?: Transaction): Promise<void> {
    await this.database.change(async (transaction) => {
      const row = await this.#row(id, transaction)
      await this.#keepAnAdmin(row, transaction)
      await row.destroy({ transaction })
      await this.audit.record({ type: 'user.removed', object: objectOf(row), details: {} }, actor, transaction)
    }, outer)
  }

  async #row(id: number, transaction: Transaction | null = null): Promise<UserRow> {
    const row = await this.database.models.User.findByPk(id, { transaction })
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
  const { id, username, role, disabled, authVersion, createdAt, updatedAt } = row
  return { id, username, role, disabled, authVersion, createdAt, updatedAt }
}
