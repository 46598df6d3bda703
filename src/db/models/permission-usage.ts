import { DataTypes, type InferAttributes, type InferCreationAttributes } from 'sequelize'
import type { Model, ModelStatic, Sequelize } from 'sequelize'

export interface PermissionUsageRow extends Model<
  InferAttributes<PermissionUsageRow>,
  InferCreationAttributes<PermissionUsageRow>
> {
  permissionId: number
  lastUsedAt: Date | null
  /** Null again after the first login that works, and when the credentials are replaced. */
  loginRejectedAt: Date | null
}

export function definePermissionUsage(sequelize: Sequelize): ModelStatic<PermissionUsageRow> {
  return sequelize.define<PermissionUsageRow>(
    'PermissionUsage',
    {
      permissionId: { type: DataTypes.INTEGER, primaryKey: true },
      lastUsedAt: { type: DataTypes.DATE },
      loginRejectedAt: { type: DataTypes.DATE },
    },
    { tableName: 'permission_usage', timestamps: false },
  )
}
