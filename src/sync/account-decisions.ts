import type { Transaction } from 'sequelize'
import type { Actor } from '../audit/actor.js'
import type { AuditLog } from '../audit/audit-log.js'
import type { Database } from '../db/database.js'
import type { ManagedAccountRow } from '../db/models/managed-account.js'
import { ConflictError, UnknownObjectError } from '../errors.js'
import type { PermissionService } from '../permissions/permission-service.js'
import type { ServerService } from '../servers/server-service.js'
import { NEW_ACCOUNT, type ManagedAccount, type ManagedAccounts } from './managed-accounts.js'
import type { ServerPlan } from './plan.js'
import { ProvisionError } from './provision-error.js'
import type { Run, SyncQueue } from './sync-queue.js'
import type { Synchroniser } from './synchroniser.js'

export const ENDINGS = ['keep', 'archive', 'remove'] as const
export type Ending = (typeof ENDINGS)[number]

export interface DecisionsParts {
  readonly database: Database
  readonly audit: AuditLog
  readonly servers: ServerService
  readonly permissions: PermissionService
  readonly accounts: ManagedAccounts
  readonly queue: SyncQueue
  readonly synchroniser: Pick<Synchroniser, 'observe' | 'kick'>
}

/** What only an admin decides about single accounts. */
export class AccountDecisions {
  constructor(private readonly parts: DecisionsParts) {}

  /**
   * Takes over an account that the gateway did not make, for the permission that wants its name. The login that the
   * permission has is kept; without one, the next plan sets a new secret.
   * @throws UnknownObjectError, ConflictError (nobody wants it, reserved, ours already, or the server cannot be read)
   */
  async adopt(serverId: number, name: string, actor: Actor): Promise<ManagedAccount> {
    const { servers, accounts, permissions, synchroniser, database, audit } = this.parts
    const server = await servers.get(serverId)
    const { there, problem } = await synchroniser.observe(serverId, name).catch(unread)
    if (!there) throw new UnknownObjectError(`There is no account ${name} on ${server.alias}.`)
    if (problem !== undefined) throw new ConflictError(`${name} cannot be adopted: ${problem}`)
    return database.change(async (transaction) => {
      const [wanted, second] = await accounts.wanted(serverId, name, transaction)
      if (!wanted || second) {
        throw new ConflictError(`Exactly one managed permission on ${server.alias} must want the account ${name}.`)
      }
      const [known] = await accounts.known(serverId, name, transaction)
      if (known && known.state !== 'creating') throw new ConflictError(`${name} on ${server.alias} is managed already.`)
      const permission = await permissions.get(wanted.permissionId, transaction)
      const secretKept = permission.credentials !== 'none'
      const columns = {
        ...NEW_ACCOUNT,
        ...{ serverId, name, permissionId: wanted.permissionId, origin: 'adopted', state: there.state },
        home: there.home ?? null,
        secretVersion: secretKept ? permission.secretVersion : null,
        lastSeenAt: new Date(),
      }
      if (known) await database.models.ManagedAccount.destroy({ where: { id: known.id }, transaction })
      const row = await database.models.ManagedAccount.create(columns, { transaction })
      const details = { home: there.home, secretKept }
      await audit.record({ type: 'account.adopted', object: objectOf(row, server.alias), details }, actor, transaction)
      const [adopted] = await accounts.known(serverId, name, transaction)
      if (!adopted) throw new UnknownObjectError('There is no such account.')
      return adopted
    })
  }

  /**
   * What becomes of an account whose permission is gone; the next plan shows it.
   * @throws UnknownObjectError, ConflictError (somebody may use it)
   */
  async setEnding(accountId: number, ending: Ending, actor: Actor): Promise<void> {
    const { database, audit, accounts } = this.parts
    await database.transaction(async (transaction) => {
      const row = await this.#row(accountId, transaction)
      if ((await accounts.wanted(row.serverId, row.name, transaction)).length > 0) {
        throw new ConflictError('Somebody has a permission for this account: take it away first.')
      }
      if (row.ending === ending) return
      await row.update({ ending }, { transaction })
      const object = objectOf(row, await this.#alias(row.serverId, transaction))
      await audit.record({ type: 'account.ending-decided', object, details: { ending } }, actor, transaction)
    })
  }

  /**
   * Gives accounts new secrets, from now on.
   * @returns undefined when none of them has a secret of the gateway
   */
  async rotate(
    filter: { serverId?: number | undefined; accountId?: number | undefined },
    actor: Actor,
  ): Promise<Run | undefined> {
    const { database, audit, accounts, queue, synchroniser } = this.parts
    const run = await database.transaction(async (transaction) => {
      const all = await accounts.known(filter.serverId, undefined, transaction)
      const chosen = all.filter(({ id, state }) => state === 'enabled' && id === (filter.accountId ?? id))
      const plans = new Map<number, ServerPlan>()
      for (const { id, serverId, name } of chosen) {
        const [wanted] = await accounts.wanted(serverId, name, transaction)
        if (!wanted?.enabled) continue
        const alias = plans.get(serverId)?.alias ?? (await this.#alias(serverId, transaction))
        const step = { account: name, kind: 'set-secret' as const, detail: 'a new secret is wanted' }
        const steps = [...(plans.get(serverId)?.steps ?? []), step]
        plans.set(serverId, { serverId, alias, steps, findings: [] })
        await database.models.ManagedAccount.update({ rotate: true }, { where: { id }, transaction })
        const object = { id, name: `${name}@${alias}` }
        await audit.record({ type: 'account.rotation-wanted', object, details: {} }, actor, transaction)
      }
      if (plans.size === 0) return undefined
      const remembered = await queue.remember([...plans.values()], 'plan', actor, transaction)
      await queue.start(remembered, actor, transaction, { whole: false })
      return queue.run(remembered.id, transaction)
    })
    synchroniser.kick()
    return run
  }

  async #row(id: number, transaction: Transaction): Promise<ManagedAccountRow> {
    const row = await this.parts.database.models.ManagedAccount.findByPk(id, { transaction })
    if (!row) throw new UnknownObjectError('There is no such account.')
    return row
  }

  async #alias(serverId: number, transaction: Transaction): Promise<string> {
    return (await this.parts.servers.get(serverId, transaction)).alias
  }
}

function unread(error: unknown): never {
  if (error instanceof ProvisionError) throw new ConflictError(`The server cannot be read: ${error.message}`)
  throw error
}

function objectOf({ id, name }: ManagedAccountRow, alias: string) {
  return { id, name: `${name}@${alias}` }
}
