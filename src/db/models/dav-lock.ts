import { DataTypes, type InferAttributes, type InferCreationAttributes } from 'sequelize'
import type { Model, ModelStatic, Sequelize } from 'sequelize'

/** A `LockRecord` of `vfs/ports.ts`. */
export interface DavLockRow extends Model<InferAttributes<DavLockRow>, InferCreationAttributes<DavLockRow>> {
  token: string
  namespace: string
  path: string
  depth: string
  scope: string
  userId: number
  ownerXml: string
  /** Milliseconds since the epoch. */
  expiresAt: number
}

export function defineDavLock(sequelize: Sequelize): ModelStatic<DavLockRow> {
  return sequelize.define<DavLockRow>(
    'DavLock',
    {
      token: { type: DataTypes.STRING(255), primaryKey: true },
      namespace: { type: DataTypes.STRING(320), allowNull: false },
      path: { type: DataTypes.TEXT, allowNull: false },
      depth: { type: DataTypes.STRING(8), allowNull: false },
      scope: { type: DataTypes.STRING(16), allowNull: false },
      userId: { type: DataTypes.INTEGER, allowNull: false },
      ownerXml: { type: DataTypes.TEXT, allowNull: false },
      expiresAt: { type: DataTypes.BIGINT, allowNull: false },
    },
    { tableName: 'dav_locks', timestamps: false },
  )
}
