import type { Actor } from '../audit/actor.js'
import type { AuditLog } from '../audit/audit-log.js'
import type { Database } from '../db/database.js'
import type { Logger } from '../logger.js'
import type { PermissionService } from '../permissions/permission-service.js'
import { endpointOf } from '../servers/server-row.js'
import type { ServerService } from '../servers/server-service.js'
import type { Drivers } from '../storage/drivers.js'
import { isStorageError } from '../storage/errors.js'
import type { ManagedAccount, ManagedAccounts } from './managed-accounts.js'

export interface LoginCheckParts {
  readonly database: Database
  readonly audit: AuditLog
  readonly servers: ServerService
  readonly permissions: PermissionService
  readonly accounts: ManagedAccounts
  readonly drivers: Drivers
  readonly log: Logger
}

/** Rejected logins of one check: servers ban addresses that fail more often. */
const MOST_REJECTED = 3

/** Finds accounts whose secret the server takes no longer: one login each, one after the other. */
export class LoginCheck {
  constructor(private readonly parts: LoginCheckParts) {}

  /**
   * Stops early when the server does not answer, or refuses so many that it might refuse the gateway next.
   * @returns how many were refused
   */
  async check(serverId: number, except: ReadonlySet<string>, actor: Actor, signal: AbortSignal): Promise<number> {
    const { servers, permissions, accounts, drivers, log } = this.parts
    const server = await servers.get(serverId)
    const wanted = new Map((await accounts.wanted(serverId)).map((account) => [account.name, account]))
    let rejected = 0
    for (const account of await accounts.known(serverId)) {
      const permission = wanted.get(account.name)
      const current = permission && account.secretVersion === permission.secretVersion
      if (!permission?.enabled || !current || account.state !== 'enabled' || account.secretRejected) continue
      if (except.has(account.name)) continue
      if (signal.aborted || rejected >= MOST_REJECTED) break
      try {
        const login = await permissions.login(permission.permissionId)
        const connection = await drivers.driverFor(server.protocol).connect(endpointOf(server), login, { signal })
        connection.close()
        await this.#remember(account, { secretCheckedAt: new Date(), secretRejectedAt: null })
      } catch (error) {
        if (!isStorageError(error, 'LOGIN_REJECTED')) {
          const reason = isStorageError(error) ? error.code : 'UNEXPECTED'
          log.info({ server: server.alias, reason }, 'secrets of accounts could not be checked')
          break
        }
        rejected++
        await this.#rejected(account, server.alias, actor)
      }
    }
    return rejected
  }

  async #rejected(account: ManagedAccount, alias: string, actor: Actor): Promise<void> {
    const now = new Date()
    await this.parts.database.transaction(async (transaction) => {
      const { ManagedAccount } = this.parts.database.models
      const where = { id: account.id }
      await ManagedAccount.update({ secretCheckedAt: now, secretRejectedAt: now }, { where, transaction })
      const object = { id: account.id, name: `${account.name}@${alias}` }
      await this.parts.audit.record({ type: 'account.secret-found-rejected', object, details: {} }, actor, transaction)
    })
  }

  async #remember(account: ManagedAccount, columns: { secretCheckedAt: Date; secretRejectedAt: null }): Promise<void> {
    const { database } = this.parts
    await database.transaction((transaction) =>
      database.models.ManagedAccount.update(columns, { where: { id: account.id }, transaction }),
    )
  }
}
