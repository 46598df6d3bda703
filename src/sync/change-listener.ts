import type { Transaction } from 'sequelize'
import type { Actor } from '../audit/actor.js'
import type { AuditLog } from '../audit/audit-log.js'
import type { Database } from '../db/database.js'
import type { PermissionListener } from '../permissions/permission-listener.js'
import type { Permission } from '../permissions/permission-service.js'
import type { UserListener } from '../users/user-listener.js'
import type { PlannedStep, StepKind } from './plan.js'
import type { SyncQueue } from './sync-queue.js'

/**
 * What changes of permissions and users mean for accounts, queued in the transaction of the change. What takes away goes
 * ahead by itself; what gives waits for a yes where the server is not kept in step automatically.
 */
export class ChangeListener implements PermissionListener, UserListener {
  constructor(
    private readonly database: Database,
    private readonly audit: AuditLog,
    private readonly queue: SyncQueue,
  ) {}

  async granted(permission: Permission, actor: Actor, transaction: Transaction): Promise<void> {
    if (!permission.managed) return
    const detail = `for ${permission.username}`
    await this.#enqueue(permission, [step(permission, 'create', detail), step(permission, 'make-home', detail)], {
      ...{ actor, transaction },
      whole: true,
    })
  }

  async updated(before: Permission, after: Permission, actor: Actor, transaction: Transaction): Promise<void> {
    if (before.managed && !after.managed) return this.#release(before, actor, transaction)
    if (!after.managed) return
    if (!before.managed) return this.granted(after, actor, transaction)
    if (before.remoteUser !== after.remoteUser) {
      await this.revoked(before, actor, transaction)
      await this.database.models.ManagedAccount.update(
        { permissionId: null },
        { where: { permissionId: before.id, name: before.remoteUser }, transaction },
      )
      return this.granted(after, actor, transaction)
    }
    // An account that waits to be made is made with its new home.
    const waits = await this.queue.waits(after.serverId, after.remoteUser, 'create', transaction)
    if (before.home !== after.home && !waits) {
      const detail = `to ${after.home ?? 'where the server puts homes'}`
      const steps = [step(after, 'fix-home', detail), step(after, 'make-home', detail)]
      await this.#enqueue(after, steps, { actor, transaction })
    }
    if (endedOf(before) !== endedOf(after)) await this.#setUsable(after, !endedOf(after), actor, transaction)
  }

  async revoked(permission: Permission, actor: Actor, transaction: Transaction): Promise<void> {
    if (permission.managed) await this.#setUsable(permission, false, actor, transaction, 'the permission is gone')
  }

  async disabled(userId: number, disabled: boolean, actor: Actor, transaction: Transaction): Promise<void> {
    for (const account of await this.#accountsOf(userId, transaction)) {
      await this.#setUsable(account, !disabled, actor, transaction)
    }
  }

  async removed(userId: number, actor: Actor, transaction: Transaction): Promise<void> {
    for (const account of await this.#accountsOf(userId, transaction)) {
      await this.#setUsable(account, false, actor, transaction, 'the user is gone')
    }
  }

  /** @param why the account has come to its end; left out: it goes on when its user does */
  async #setUsable(account: Target, usable: boolean, actor: Actor, transaction: Transaction, why?: string) {
    const detail = why ?? (usable ? 'the user may use it again' : 'the user may not use it now')
    await this.#enqueue(account, [step(account, usable ? 'enable' : 'disable', detail)], {
      ...{ actor, transaction, yes: true },
      whole: why !== undefined,
    })
  }

  async #enqueue(
    { serverId }: Target,
    steps: readonly PlannedStep[],
    {
      actor,
      transaction,
      yes,
      whole = false,
    }: { actor: Actor; transaction: Transaction; yes?: boolean; whole?: boolean },
  ): Promise<void> {
    const { Provisioner, Server } = this.database.models
    const provisioner = await Provisioner.findByPk(serverId, { transaction })
    if (!provisioner) return
    const server = await Server.findByPk(serverId, { transaction })
    const how = { yes: yes ?? provisioner.automatic, whole }
    await this.queue.enqueue(serverId, server?.alias ?? '', steps, actor, transaction, how)
  }

  /** The account stays on the server as it is, and is nobody's business here any more. */
  async #release(permission: Permission, actor: Actor, transaction: Transaction): Promise<void> {
    const { ManagedAccount } = this.database.models
    const where = { serverId: permission.serverId, name: permission.remoteUser }
    const row = await ManagedAccount.findOne({ where, transaction })
    if (!row) return
    await row.destroy({ transaction })
    const object = { id: row.id, name: `${row.name}@${permission.alias}` }
    await this.audit.record({ type: 'account.released', object, details: {} }, actor, transaction)
  }

  async #accountsOf(userId: number, transaction: Transaction): Promise<Target[]> {
    const { Permission, User } = this.database.models
    const rows = await Permission.findAll({ where: { userId, managed: true }, include: [User], transaction })
    return rows.map(({ serverId, remoteUser, User }) => ({ serverId, remoteUser: remoteUser ?? User?.username ?? '' }))
  }
}

type Target = Pick<Permission, 'serverId' | 'remoteUser'>

function step({ remoteUser }: Target, kind: StepKind, detail: string): PlannedStep {
  return { account: remoteUser, kind, detail }
}

function endedOf({ endsAt }: Permission): boolean {
  return endsAt !== undefined && endsAt.getTime() <= Date.now()
}
