import { DataTypes, type CreationOptional, type InferAttributes, type InferCreationAttributes } from 'sequelize'
import type { Model, ModelStatic, NonAttribute, Sequelize } from 'sequelize'
import type { ServerRow } from './server.js'
import type { UserRow } from './user.js'

export interface PermissionRow extends Model<InferAttributes<PermissionRow>, InferCreationAttributes<PermissionRow>> {
  id: CreationOptional<number>
  userId: number
  serverId: number
  /** Null: the username. */
  remoteUser: string | null
  /** Encrypted, as are `privateKey` and `passphrase`. */
  userPass: string | null
  privateKey: string | null
  passphrase: string | null
  /** Grows whenever the credentials are set. */
  secretVersion: CreationOptional<number>
  access: string
  root: string | null
  endsAt: Date | null
  /** Whether the user may enter the own remote password. */
  selfService: CreationOptional<boolean>
  /** Whether the account on the server follows this permission. */
  managed: CreationOptional<boolean>
  /** Wanted home of a managed account; null: where the server puts homes. */
  home: CreationOptional<string | null>
  createdAt: CreationOptional<Date>
  updatedAt: CreationOptional<Date>
  /** Present where the query included them. */
  User?: NonAttribute<UserRow>
  Server?: NonAttribute<ServerRow>
}

export function definePermission(sequelize: Sequelize): ModelStatic<PermissionRow> {
  return sequelize.define<PermissionRow>(
    'Permission',
    {
      id: { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true },
      userId: { type: DataTypes.INTEGER, allowNull: false },
      serverId: { type: DataTypes.INTEGER, allowNull: false },
      remoteUser: { type: DataTypes.STRING(255) },
      userPass: { type: DataTypes.TEXT },
      privateKey: { type: DataTypes.TEXT },
      passphrase: { type: DataTypes.TEXT },
      secretVersion: { type: DataTypes.INTEGER, allowNull: false, defaultValue: 1 },
      access: { type: DataTypes.STRING(16), allowNull: false },
      root: { type: DataTypes.TEXT },
      endsAt: { type: DataTypes.DATE },
      selfService: { type: DataTypes.BOOLEAN, allowNull: false, defaultValue: false },
      managed: { type: DataTypes.BOOLEAN, allowNull: false, defaultValue: false },
      home: { type: DataTypes.TEXT },
      createdAt: { type: DataTypes.DATE, allowNull: false },
      updatedAt: { type: DataTypes.DATE, allowNull: false },
    },
    { tableName: 'permissions' },
  )
}
