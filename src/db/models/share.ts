import { DataTypes, type CreationOptional, type InferAttributes, type InferCreationAttributes } from 'sequelize'
import type { Model, ModelStatic, NonAttribute, Sequelize } from 'sequelize'
import type { PermissionRow } from './permission.js'
import type { UserRow } from './user.js'

/** A file or folder that the user of a permission lets another user see. */
export interface ShareRow extends Model<InferAttributes<ShareRow>, InferCreationAttributes<ShareRow>> {
  id: CreationOptional<number>
  /** Of the owner. */
  permissionId: number
  recipientId: number
  /** Below the permission's start folder, without a slash in front. */
  path: string
  kind: string
  /** Login and start folder as they were when it was shared: with others, the path leads elsewhere. */
  remoteUser: string
  root: string | null
  note: string
  endsAt: Date | null
  createdAt: CreationOptional<Date>
  /** Present where the query included them. */
  Permission?: NonAttribute<PermissionRow>
  Recipient?: NonAttribute<UserRow>
}

export function defineShare(sequelize: Sequelize): ModelStatic<ShareRow> {
  return sequelize.define<ShareRow>(
    'Share',
    {
      id: { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true },
      permissionId: { type: DataTypes.INTEGER, allowNull: false },
      recipientId: { type: DataTypes.INTEGER, allowNull: false },
      path: { type: DataTypes.TEXT, allowNull: false },
      kind: { type: DataTypes.STRING(16), allowNull: false },
      remoteUser: { type: DataTypes.STRING(255), allowNull: false },
      root: { type: DataTypes.TEXT },
      note: { type: DataTypes.TEXT, allowNull: false },
      endsAt: { type: DataTypes.DATE },
      createdAt: { type: DataTypes.DATE, allowNull: false },
    },
    { tableName: 'shares', updatedAt: false },
  )
}
