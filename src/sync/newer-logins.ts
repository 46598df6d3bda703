import type { Database } from '../db/database.js'
import type { PermissionService } from '../permissions/permission-service.js'
import type { Account } from '../storage/account.js'
import type { Login } from '../storage/driver.js'
import type { PendingSecrets } from './account-secrets.js'

/** While a secret is changed, some requests still hold the old one. */
export class NewerLogins {
  constructor(
    private readonly parts: {
      readonly database: Database
      readonly permissions: PermissionService
      readonly pending: PendingSecrets
    },
  ) {}

  /** What a managed account logs in with by now, where that is not what `account` holds. */
  async of({ server, login }: Account): Promise<Login | undefined> {
    const { database, permissions, pending } = this.parts
    const where = { serverId: server.id, name: login.username }
    const row = await database.read(() => database.models.ManagedAccount.findOne({ where }))
    if (row?.permissionId == null) return undefined
    const newest =
      row.pendingSecret === null
        ? await permissions.login(row.permissionId)
        : { username: login.username, ...pending.decrypt(row.id, row.pendingSecret) }
    const same = newest.password === login.password && newest.privateKey === login.privateKey
    return same || newest.username !== login.username ? undefined : newest
  }
}
