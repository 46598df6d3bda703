import { DataTypes, type CreationOptional, type InferAttributes, type InferCreationAttributes } from 'sequelize'
import type { Model, ModelStatic, NonAttribute, Sequelize } from 'sequelize'

import type { UserRow } from './user.js'

/** A password for drives and scripts, beside the login password. */
export interface AppPasswordRow extends Model<
  InferAttributes<AppPasswordRow>,
  InferCreationAttributes<AppPasswordRow>
> {
  id: CreationOptional<number>
  userId: number
  name: string
  /** The part of the secret by which it is found; not secret itself. */
  prefix: string
  /** SHA-256 of the whole secret, hex. */
  secretHash: string
  /** JSON array of server ids; null: all. */
  servers: string | null
  readOnly: CreationOptional<boolean>
  expiresAt: Date | null
  createdAt: CreationOptional<Date>
  lastUsedAt: CreationOptional<Date | null>
  lastUsedAddress: CreationOptional<string | null>
  /** Present where the query included it. */
  User?: NonAttribute<UserRow>
}

export function defineAppPassword(sequelize: Sequelize): ModelStatic<AppPasswordRow> {
  return sequelize.define<AppPasswordRow>(
    'AppPassword',
    {
      id: { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true },
      userId: { type: DataTypes.INTEGER, allowNull: false },
      name: { type: DataTypes.STRING(64), allowNull: false },
      prefix: { type: DataTypes.STRING(16), allowNull: false, unique: true },
      secretHash: { type: DataTypes.STRING(64), allowNull: false },
      servers: { type: DataTypes.TEXT },
      readOnly: { type: DataTypes.BOOLEAN, allowNull: false, defaultValue: false },
      expiresAt: { type: DataTypes.DATE },
      createdAt: { type: DataTypes.DATE, allowNull: false },
      lastUsedAt: { type: DataTypes.DATE },
      lastUsedAddress: { type: DataTypes.STRING(64) },
    },
    { tableName: 'app_passwords', updatedAt: false },
  )
}
