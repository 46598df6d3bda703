import type { Transaction } from 'sequelize'
import type { Database } from '../db/database.js'
import type { ManagedAccountRow } from '../db/models/managed-account.js'
import type { PermissionRow } from '../db/models/permission.js'
import type { DesiredAccount, KnownAccount } from './planner.js'

/** An account that the gateway made or was given. */
export interface ManagedAccount extends KnownAccount {
  readonly id: number
  readonly serverId: number
  readonly permissionId: number | undefined
  readonly secretSetAt: Date | undefined
  /** It has a secret that is on its way. */
  readonly pending: boolean
  readonly lastSeenAt: Date | undefined
}

/** A desired account and whose permission wants it. */
export interface WantedAccount extends DesiredAccount {
  readonly permissionId: number
}

const DAY = 86_400_000

/** Reads what is wanted of the accounts of a server, and what is known of them. Nothing is changed here. */
export class ManagedAccounts {
  constructor(
    private readonly database: Database,
    private readonly now: () => number = Date.now,
  ) {}

  /** What permissions want on a server. @param name of one account only */
  async wanted(serverId: number, name?: string, transaction?: Transaction): Promise<WantedAccount[]> {
    const { Permission, User } = this.database.models
    const rows = await this.database.read(() =>
      Permission.findAll({ where: { serverId, managed: true }, include: [User], transaction: transaction ?? null }),
    )
    return rows.map((row) => this.#wantedOf(row)).filter((wanted) => name === undefined || wanted.name === name)
  }

  async known(serverId?: number, name?: string, transaction?: Transaction): Promise<ManagedAccount[]> {
    const { ManagedAccount, Provisioner, PermissionUsage } = this.database.models
    const where = { ...(serverId !== undefined && { serverId }), ...(name !== undefined && { name }) }
    return this.database.read(async () => {
      const options = { transaction: transaction ?? null }
      const rows = await ManagedAccount.findAll({ where, order: [['name', 'ASC']], ...options })
      const provisioners = await Provisioner.findAll(options)
      const rotateEvery = new Map(provisioners.map((row) => [row.serverId, row.rotateEvery]))
      const ids = rows.flatMap(({ permissionId }) => permissionId ?? [])
      const usage = ids.length > 900 ? {} : { where: { permissionId: ids } }
      const rejected = new Map(
        (await PermissionUsage.findAll({ ...usage, ...options })).map((row) => [row.permissionId, row.loginRejectedAt]),
      )
      return rows.map((row) =>
        this.#managedOf(row, rotateEvery.get(row.serverId) ?? null, rejected.get(row.permissionId ?? 0) ?? null),
      )
    })
  }

  #wantedOf(row: PermissionRow): WantedAccount {
    const username = row.User?.username ?? ''
    const ended = row.endsAt !== null && row.endsAt.getTime() <= this.now()
    return {
      permissionId: row.id,
      name: row.remoteUser ?? username,
      username,
      enabled: !ended && row.User?.disabled === false,
      home: row.home ?? undefined,
      secretVersion: row.secretVersion,
    }
  }

  #managedOf(row: ManagedAccountRow, rotateEvery: number | null, refusedAt: Date | null): ManagedAccount {
    const setAt = row.secretSetAt?.getTime() ?? 0
    const over = rotateEvery !== null && row.secretSetAt !== null && setAt + rotateEvery * DAY <= this.now()
    return {
      id: row.id,
      serverId: row.serverId,
      permissionId: row.permissionId ?? undefined,
      name: row.name,
      origin: row.origin as KnownAccount['origin'],
      state: row.state as KnownAccount['state'],
      ending: row.ending as KnownAccount['ending'],
      home: row.home ?? undefined,
      archivedHome: row.archivedHome ?? undefined,
      secretVersion: row.secretVersion ?? undefined,
      secretRejected: row.secretRejectedAt !== null || (refusedAt?.getTime() ?? 0) > setAt,
      rotate: row.rotate || over,
      oldSecretOver: row.oldSecretUntil !== null && row.oldSecretUntil.getTime() <= this.now(),
      mark: markOf(row),
      secretSetAt: row.secretSetAt ?? undefined,
      pending: row.pendingSecret !== null,
      lastSeenAt: row.lastSeenAt ?? undefined,
    }
  }
}

/** Differs between gateways that share a server, and stays the same for one account. */
export function markOf({ id, createdAt }: { readonly id: number; readonly createdAt: Date }): string {
  return `ftpcluster-${id}-${createdAt.getTime().toString(36)}`
}

/** Columns of an account that nothing is known of yet. */
export const NEW_ACCOUNT = {
  origin: 'created',
  ending: 'keep',
  home: null,
  archivedHome: null,
  secretVersion: null,
  secretSetAt: null,
  secretRejectedAt: null,
  secretCheckedAt: null,
  pendingSecret: null,
  oldSecretUntil: null,
  rotate: false,
  lastSeenAt: null,
}
