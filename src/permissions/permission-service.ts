import type { Transaction } from 'sequelize'
import type { Actor } from '../audit/actor.js'
import type { AuditLog } from '../audit/audit-log.js'
import type { Database } from '../db/database.js'
import type { PermissionRow } from '../db/models/permission.js'
import type { SecretCipher } from '../db/secret-cipher.js'
import { ConflictError, UnknownObjectError, ValidationError } from '../errors.js'
import { parseInput } from '../parse-input.js'
import type { Login } from '../storage/driver.js'
import type { Access } from '../vfs/mount.js'
import { credentialsOf, encryptCredentials, sameCredentials } from './permission-credentials.js'
import { credentials as credentialsInput, newPermission, permissionChanges } from './permission-input.js'
import type { Credentials, NewPermission, PermissionChanges } from './permission-input.js'
import type { PermissionListener } from './permission-listener.js'

/** A permission, without its secrets. */
export interface Permission {
  readonly id: number
  readonly userId: number
  readonly username: string
  readonly serverId: number
  readonly alias: string
  /** The login on the server. */
  readonly remoteUser: string
  /** Whether the login was named, and is not just the username. */
  readonly remoteUserGiven: boolean
  readonly credentials: 'none' | 'password' | 'private-key'
  readonly secretVersion: number
  readonly access: Access
  readonly root: string | undefined
  readonly endsAt: Date | undefined
  /** Whether the user may enter the own remote password. */
  readonly selfService: boolean
  /** Whether the account on the server follows this permission. */
  readonly managed: boolean
  /** Wanted home of a managed account. */
  readonly home: string | undefined
  readonly createdAt: Date
  readonly updatedAt: Date
}

/** Methods that change something take the transaction of a caller who changes more; then the caller's rules hold. */
export class PermissionService {
  constructor(
    private readonly database: Database,
    private readonly audit: AuditLog,
    private readonly cipher: SecretCipher,
    private readonly listener?: PermissionListener,
  ) {}

  /** Sorted by user, then alias. */
  async list(filter: { userId?: number; serverId?: number } = {}, transaction?: Transaction): Promise<Permission[]> {
    const { Permission, User, Server } = this.database.models
    const rows = await this.database.read(() =>
      Permission.findAll({
        where: filter,
        include: [User, Server],
        order: [
          [User, 'username', 'ASC'],
          [Server, 'aliasKey', 'ASC'],
        ],
        transaction: transaction ?? null,
      }),
    )
    return rows.map(permissionOf)
  }

  /** @throws UnknownObjectError */
  async get(id: number, transaction?: Transaction): Promise<Permission> {
    return permissionOf(await this.database.read(() => this.#row(id, transaction ?? null)))
  }

  async find(userId: number, serverId: number, transaction?: Transaction): Promise<Permission | undefined> {
    return (await this.list({ userId, serverId }, transaction))[0]
  }

  /**
   * Name and secret of the remote login, for drivers and for an export that asks for secrets.
   * @throws UnknownObjectError, SecretError
   */
  async login(id: number, transaction?: Transaction): Promise<Login> {
    const row = await this.database.read(() => this.#row(id, transaction ?? null))
    return { username: permissionOf(row).remoteUser, ...credentialsOf(row, this.cipher) }
  }

  /** @throws ValidationError, UnknownObjectError (user or server), ConflictError (there is one already) */
  async grant(input: NewPermission, actor: Actor, outer?: Transaction): Promise<Permission> {
    const fields = parseInput(newPermission, input)
    return this.database.change(async (transaction) => {
      const { User, Server, Permission } = this.database.models
      const { userId, serverId } = fields
      const user = await User.findByPk(userId, { transaction })
      const server = await Server.findByPk(serverId, { transaction })
      if (!user) throw new UnknownObjectError('There is no such user.')
      if (!server) throw new UnknownObjectError('There is no such server.')
      refuseKey(fields.credentials, server.protocol)
      if (await Permission.findOne({ where: { userId, serverId }, transaction })) {
        throw new ConflictError(`${user.username} has a permission on ${server.alias} already.`)
      }
      const row = await Permission.create(
        {
          userId,
          serverId,
          remoteUser: fields.remoteUser ?? null,
          userPass: null,
          privateKey: null,
          passphrase: null,
          access: fields.access ?? 'read-write',
          root: fields.root ?? null,
          endsAt: fields.endsAt ?? null,
          selfService: fields.selfService ?? false,
          managed: fields.managed ?? false,
          home: fields.home ?? null,
        },
        { transaction },
      )
      if (fields.credentials) {
        await row.update(encryptCredentials(row.id, fields.credentials, this.cipher), { transaction })
      }
      const full = await this.#row(row.id, transaction)
      const details = { access: row.access, after: valuesOf(full) }
      await this.audit.record({ type: 'permission.granted', object: objectOf(full), details }, actor, transaction)
      await this.listener?.granted(permissionOf(full), actor, transaction)
      return permissionOf(full)
    }, outer)
  }

  /**
   * Several at once: all of them or none.
   * @throws ValidationError, UnknownObjectError, ConflictError (there is one already)
   */
  async grantAll(inputs: readonly NewPermission[], actor: Actor): Promise<Permission[]> {
    return this.database.change(async (transaction) => {
      const granted: Permission[] = []
      for (const input of inputs) granted.push(await this.grant(input, actor, transaction))
      return granted
    })
  }

  /**
   * Changes what is given and leaves the rest.
   * @returns names of the fields that really changed
   * @throws ValidationError, UnknownObjectError
   */
  async update(
    id: number,
    input: PermissionChanges,
    actor: Actor,
    outer?: Transaction,
  ): Promise<{ permission: Permission; changed: string[] }> {
    const fields = parseInput(permissionChanges, input)
    return this.database.change(async (transaction) => {
      const row = await this.#row(id, transaction)
      const next = {
        remoteUser: fields.remoteUser === undefined ? row.remoteUser : fields.remoteUser,
        access: fields.access ?? row.access,
        root: fields.root === undefined ? row.root : fields.root,
        endsAt: fields.endsAt === undefined ? row.endsAt : fields.endsAt,
        selfService: fields.selfService ?? row.selfService,
        managed: fields.managed ?? row.managed,
        home: fields.home === undefined ? row.home : fields.home,
      }
      const changed = AUDITED.filter((field) => row[field]?.valueOf() !== next[field]?.valueOf())
      if (changed.length === 0) return { permission: permissionOf(row), changed }
      const before = valuesOf(row, changed)
      const old = permissionOf(row)
      await row.update(next, { transaction })
      const details = { fields: changed, before, after: valuesOf(row, changed) }
      await this.audit.record({ type: 'permission.updated', object: objectOf(row), details }, actor, transaction)
      await this.listener?.updated(old, permissionOf(row), actor, transaction)
      return { permission: permissionOf(row), changed }
    }, outer)
  }

  /** Whether these are the stored credentials. Ones that cannot be read any more are not. @throws UnknownObjectError */
  async hasCredentials(id: number, credentials: Credentials, transaction?: Transaction): Promise<boolean> {
    const row = await this.database.read(() => this.#row(id, transaction ?? null))
    return sameCredentials(row, credentials, this.cipher)
  }

  /**
   * Replaces the credentials; none at all when the object is empty. Setting the same ones again lets a rejected login be
   * tried again.
   * @throws ValidationError, UnknownObjectError
   */
  async setCredentials(id: number, input: Credentials, actor: Actor, outer?: Transaction): Promise<Permission> {
    const credentials = parseInput(credentialsInput, input)
    return this.database.change(async (transaction) => {
      const row = await this.#row(id, transaction)
      refuseKey(credentials, row.Server?.protocol)
      const columns = encryptCredentials(id, credentials, this.cipher)
      await row.update({ ...columns, secretVersion: row.secretVersion + 1 }, { transaction })
      // What the server said to the old ones says nothing of these.
      const { PermissionUsage } = this.database.models
      await PermissionUsage.update({ loginRejectedAt: null }, { where: { permissionId: id }, transaction })
      const event = { type: 'permission.credentials-changed' as const, object: objectOf(row) }
      await this.audit.record({ ...event, details: { fields: Object.keys(credentials) } }, actor, transaction)
      return permissionOf(row)
    }, outer)
  }

  /**
   * Connections of before are not used again: the secret is the same, but they may know an account that is no more. Recorded
   * by whoever changed the account.
   * @returns the new version of the secret
   * @throws UnknownObjectError
   */
  async renewConnections(id: number, transaction: Transaction): Promise<number> {
    const row = await this.#row(id, transaction)
    await row.update({ secretVersion: row.secretVersion + 1 }, { transaction })
    return row.secretVersion
  }

  /**
   * As `setCredentials`, by the user whose permission it is.
   * @throws ValidationError, UnknownObjectError (none, or of somebody else), ConflictError (not `selfService`)
   */
  async setOwnCredentials(userId: number, id: number, input: Credentials, actor: Actor): Promise<Permission> {
    return this.database.change(async (transaction) => {
      const row = await this.#row(id, transaction)
      if (row.userId !== userId) throw new UnknownObjectError('There is no such permission.')
      if (!row.selfService) throw new ConflictError('An administrator keeps the login of this server.')
      return this.setCredentials(id, input, actor, transaction)
    })
  }

  /** @throws UnknownObjectError */
  async revoke(id: number, actor: Actor, outer?: Transaction): Promise<void> {
    await this.database.change(async (transaction) => {
      const row = await this.#row(id, transaction)
      await this.listener?.revoked(permissionOf(row), actor, transaction)
      await row.destroy({ transaction })
      const details = { before: valuesOf(row) }
      await this.audit.record({ type: 'permission.revoked', object: objectOf(row), details }, actor, transaction)
    }, outer)
  }

  async #row(id: number, transaction: Transaction | null = null): Promise<PermissionRow> {
    const { Permission, User, Server } = this.database.models
    const row = await Permission.findByPk(id, { include: [User, Server], transaction })
    if (!row) throw new UnknownObjectError('There is no such permission.')
    return row
  }
}

function refuseKey(credentials: Credentials | undefined, protocol: string | undefined): void {
  if (credentials?.privateKey === undefined || protocol === 'sftp') return
  throw new ValidationError([{ field: 'privateKey', message: 'is for sftp servers only: give a password' }])
}

const AUDITED = ['remoteUser', 'access', 'root', 'endsAt', 'selfService', 'managed', 'home'] as const

/** For the audit. Nothing of it is a secret. */
function valuesOf(row: PermissionRow, fields: readonly (typeof AUDITED)[number][] = AUDITED) {
  return Object.fromEntries(fields.map((field) => [field, row[field]]))
}

function objectOf(row: PermissionRow) {
  return { id: row.id, name: `${row.User?.username}@${row.Server?.alias}` }
}

function permissionOf(row: PermissionRow): Permission {
  const username = row.User?.username ?? ''
  return {
    id: row.id,
    userId: row.userId,
    username,
    serverId: row.serverId,
    alias: row.Server?.alias ?? '',
    remoteUser: row.remoteUser ?? username,
    remoteUserGiven: row.remoteUser !== null,
    credentials: row.privateKey !== null ? 'private-key' : row.userPass !== null ? 'password' : 'none',
    secretVersion: row.secretVersion,
    access: row.access as Access,
    root: row.root ?? undefined,
    endsAt: row.endsAt ?? undefined,
    selfService: row.selfService,
    managed: row.managed,
    home: row.home ?? undefined,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
  }
}
