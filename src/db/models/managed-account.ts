import { DataTypes, type CreationOptional, type InferAttributes, type InferCreationAttributes } from 'sequelize'
import type { Model, ModelStatic, Sequelize } from 'sequelize'

/** An account on a server that the gateway made or was given. */
export interface ManagedAccountRow extends Model<
  InferAttributes<ManagedAccountRow>,
  InferCreationAttributes<ManagedAccountRow>
> {
  id: CreationOptional<number>
  serverId: number
  /** Null: the permission is gone. */
  permissionId: number | null
  name: string
  /** `created` or `adopted`. */
  origin: string
  /** `creating` (it is ours if it is found), `enabled`, `disabled` or `removed`. */
  state: string
  /** What was decided for an account without a permission: `keep`, `archive` or `remove`. */
  ending: string
  home: string | null
  archivedHome: string | null
  /** Secret version of the permission that stands on the server; null: none of it. */
  secretVersion: number | null
  secretSetAt: Date | null
  /** A check found that the server refuses the secret. */
  secretRejectedAt: Date | null
  secretCheckedAt: Date | null
  /** Encrypted: may stand on the server already, and is not the permission’s yet. */
  pendingSecret: string | null
  /** The server still takes the secret of before, beside the permission’s; from then on it is to be ended. */
  oldSecretUntil: Date | null
  /** A new secret is wanted. */
  rotate: boolean
  lastSeenAt: Date | null
  createdAt: CreationOptional<Date>
  updatedAt: CreationOptional<Date>
}

export function defineManagedAccount(sequelize: Sequelize): ModelStatic<ManagedAccountRow> {
  return sequelize.define<ManagedAccountRow>(
    'ManagedAccount',
    {
      id: { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true },
      serverId: { type: DataTypes.INTEGER, allowNull: false },
      permissionId: { type: DataTypes.INTEGER },
      name: { type: DataTypes.STRING(255), allowNull: false },
      origin: { type: DataTypes.STRING(32), allowNull: false },
      state: { type: DataTypes.STRING(32), allowNull: false },
      ending: { type: DataTypes.STRING(32), allowNull: false },
      home: { type: DataTypes.TEXT },
      archivedHome: { type: DataTypes.TEXT },
      secretVersion: { type: DataTypes.INTEGER },
      secretSetAt: { type: DataTypes.DATE },
      secretRejectedAt: { type: DataTypes.DATE },
      secretCheckedAt: { type: DataTypes.DATE },
      pendingSecret: { type: DataTypes.TEXT },
      oldSecretUntil: { type: DataTypes.DATE },
      rotate: { type: DataTypes.BOOLEAN, allowNull: false, defaultValue: false },
      lastSeenAt: { type: DataTypes.DATE },
      createdAt: { type: DataTypes.DATE, allowNull: false },
      updatedAt: { type: DataTypes.DATE, allowNull: false },
    },
    { tableName: 'managed_accounts' },
  )
}
