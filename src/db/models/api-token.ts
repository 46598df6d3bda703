import { DataTypes, type CreationOptional, type InferAttributes, type InferCreationAttributes } from 'sequelize'
import type { Model, ModelStatic, NonAttribute, Sequelize } from 'sequelize'

import type { UserRow } from './user.js'

/** A bearer token for the API. */
export interface ApiTokenRow extends Model<InferAttributes<ApiTokenRow>, InferCreationAttributes<ApiTokenRow>> {
  id: CreationOptional<number>
  userId: number
  name: string
  /** The part of the secret by which it is found; not secret itself. */
  prefix: string
  /** SHA-256 of the whole secret, hex. */
  secretHash: string
  /** JSON array of server ids; null: all. */
  servers: string | null
  /** JSON array of `Scope`. */
  scopes: string
  expiresAt: Date | null
  createdAt: CreationOptional<Date>
  lastUsedAt: CreationOptional<Date | null>
  lastUsedAddress: CreationOptional<string | null>
  /** Present where the query included it. */
  User?: NonAttribute<UserRow>
}

export function defineApiToken(sequelize: Sequelize): ModelStatic<ApiTokenRow> {
  return sequelize.define<ApiTokenRow>(
    'ApiToken',
    {
      id: { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true },
      userId: { type: DataTypes.INTEGER, allowNull: false },
      name: { type: DataTypes.STRING(64), allowNull: false },
      prefix: { type: DataTypes.STRING(16), allowNull: false, unique: true },
      secretHash: { type: DataTypes.STRING(64), allowNull: false },
      servers: { type: DataTypes.TEXT },
      scopes: { type: DataTypes.TEXT, allowNull: false },
      expiresAt: { type: DataTypes.DATE },
      createdAt: { type: DataTypes.DATE, allowNull: false },
      lastUsedAt: { type: DataTypes.DATE },
      lastUsedAddress: { type: DataTypes.STRING(64) },
    },
    { tableName: 'api_tokens', updatedAt: false },
  )
}
