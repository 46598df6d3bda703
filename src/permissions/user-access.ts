import { createHmac, randomBytes } from 'node:crypto'
import { Op } from 'sequelize'
import type { Database } from '../db/database.js'
import type { PermissionRow } from '../db/models/permission.js'
import type { ServerRow } from '../db/models/server.js'
import type { UserRow } from '../db/models/user.js'
import type { SecretCipher } from '../db/secret-cipher.js'
import { serverOf, targetOf } from '../servers/server-row.js'
import type { Account, ServerLimits } from '../storage/account.js'
import type { Access, Mount, UserAccess } from '../vfs/mount.js'
import { credentialsOf } from './permission-credentials.js'
import type { Credentials } from './permission-input.js'

export interface LoadedAccess {
  readonly access: UserAccess
  /** When the first of the permissions ends, ms since the epoch; until then this holds. */
  readonly holdsUntil: number
}

/** Ids in one query at most: SQLite takes 32766 parameters. */
const BATCH = 1000

/** Reads from the database what users may reach, secrets decrypted. */
export class AccessReader {
  /** Tells equal secrets from different ones, within this process, without showing them. */
  readonly #secretKey = randomBytes(32)

  /**
   * @param defaultLimits of servers that have none of their own
   * @param onUnreadable told of each secret that cannot be decrypted; its mount stays and cannot log in
   */
  constructor(
    private readonly database: Database,
    private readonly cipher: SecretCipher,
    private readonly defaultLimits: ServerLimits,
    private readonly onUnreadable: (error: unknown) => void,
  ) {}

  /** What one user may reach; undefined for a user who is disabled or not there. */
  async accessOf(userId: number): Promise<UserAccess | undefined> {
    return (await this.load([userId])).get(userId)?.access
  }

  /** Several users at once; those who are disabled or not there are absent. */
  async load(userIds: readonly number[], now = Date.now()): Promise<ReadonlyMap<number, LoadedAccess>> {
    const loaded = new Map<number, LoadedAccess>()
    for (let start = 0; start < userIds.length; start += BATCH) {
      const ids = userIds.slice(start, start + BATCH)
      const { User, Permission, Server } = this.database.models
      // One transaction would be one snapshot; the revision that follows a change makes the two queries run again.
      const users = await this.database.read(() => User.findAll({ where: { id: ids, disabled: false } }))
      const rows = await this.database.read(() =>
        Permission.findAll({
          where: { userId: ids, endsAt: { [Op.or]: [null, { [Op.gt]: new Date(now) }] } },
          include: [{ model: Server, where: { enabled: true } }],
          order: [[Server, 'aliasKey', 'ASC']],
        }),
      )
      for (const user of users) {
        loaded.set(
          user.id,
          this.#accessOf(
            user,
            rows.filter((row) => row.userId === user.id),
          ),
        )
      }
    }
    return loaded
  }

  /**
   * The mount of one permission, also of one that may not be used at the moment: for cleaning up what it left.
   * Undefined when it is gone.
   */
  async mountOf(permissionId: number): Promise<Mount | undefined> {
    const { User, Permission, Server } = this.database.models
    const row = await this.database.read(() => Permission.findByPk(permissionId, { include: [User, Server] }))
    return row?.User && row.Server ? this.#mountOf(row.User, row, row.Server) : undefined
  }

  #accessOf(user: UserRow, permissions: readonly PermissionRow[]): LoadedAccess {
    const mounts = permissions.flatMap((row) => (row.Server ? [this.#mountOf(user, row, row.Server)] : []))
    const ends = permissions.flatMap((row) => (row.endsAt ? [row.endsAt.getTime()] : []))
    const { id: userId, username, authVersion } = user
    return {
      access: { userId, username, admin: user.role === 'admin', authVersion, mounts },
      holdsUntil: Math.min(Infinity, ...ends),
    }
  }

  #mountOf(user: UserRow, row: PermissionRow, serverRow: ServerRow): Mount {
    const server = serverOf(serverRow)
    return {
      alias: server.alias,
      permissionId: row.id,
      account: this.#accountOf(row.remoteUser ?? user.username, row, targetOf(server, this.defaultLimits)),
      access: row.access as Access,
      root: row.root ?? undefined,
      homes: server.homes,
      upload: server.upload,
    }
  }

  /**
   * The key holds the secret itself, as a keyed hash: two users of one remote login share connections only if both know
   * its password.
   */
  #accountOf(username: string, row: PermissionRow, server: Account['server']): Account {
    const credentials = this.#credentials(row)
    const secret = createHmac('sha256', this.#secretKey).update(JSON.stringify(credentials)).digest('base64url')
    const key = JSON.stringify([server.id, server.version, username, row.secretVersion, secret.slice(0, 22)])
    return { key, server, login: { username, ...credentials } }
  }

  #credentials(row: PermissionRow): Credentials {
    try {
      return credentialsOf(row, this.cipher)
    } catch (error) {
      this.onUnreadable(error)
      return {}
    }
  }
}
