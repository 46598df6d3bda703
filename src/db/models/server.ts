import { DataTypes, type CreationOptional, type InferAttributes, type InferCreationAttributes } from 'sequelize'
import type { Model, ModelStatic, Sequelize } from 'sequelize'

export interface ServerRow extends Model<InferAttributes<ServerRow>, InferCreationAttributes<ServerRow>> {
  id: CreationOptional<number>
  alias: string
  /** `alias` in lower case: aliases differ by more than case. */
  aliasKey: string
  protocol: string
  host: string
  port: number
  enabled: CreationOptional<boolean>
  /** `ServerTrust` of `servers/server.ts` as JSON. */
  trust: string
  adminUser: string | null
  /** Encrypted. */
  adminPass: string | null
  /** Null, as for `maxConnectionsPerAccount`: what the configuration says. */
  maxConnections: number | null
  maxConnectionsPerAccount: number | null
  encoding: string
  homes: string
  uploadMode: string
  /** Grows with every change that an open connection would not know. */
  version: CreationOptional<number>
  createdAt: CreationOptional<Date>
  updatedAt: CreationOptional<Date>
}

export function defineServer(sequelize: Sequelize): ModelStatic<ServerRow> {
  return sequelize.define<ServerRow>(
    'Server',
    {
      id: { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true },
      alias: { type: DataTypes.STRING(64), allowNull: false },
      aliasKey: { type: DataTypes.STRING(64), allowNull: false, unique: true },
      protocol: { type: DataTypes.STRING(16), allowNull: false },
      host: { type: DataTypes.STRING(253), allowNull: false },
      port: { type: DataTypes.INTEGER, allowNull: false },
      enabled: { type: DataTypes.BOOLEAN, allowNull: false, defaultValue: true },
      trust: { type: DataTypes.TEXT, allowNull: false },
      adminUser: { type: DataTypes.STRING(255) },
      adminPass: { type: DataTypes.TEXT },
      maxConnections: { type: DataTypes.INTEGER },
      maxConnectionsPerAccount: { type: DataTypes.INTEGER },
      encoding: { type: DataTypes.STRING(16), allowNull: false },
      homes: { type: DataTypes.STRING(16), allowNull: false },
      uploadMode: { type: DataTypes.STRING(16), allowNull: false },
      version: { type: DataTypes.INTEGER, allowNull: false, defaultValue: 1 },
      createdAt: { type: DataTypes.DATE, allowNull: false },
      updatedAt: { type: DataTypes.DATE, allowNull: false },
    },
    { tableName: 'servers' },
  )
}
