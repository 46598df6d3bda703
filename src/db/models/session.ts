import { DataTypes, type CreationOptional, type InferAttributes, type InferCreationAttributes } from 'sequelize'
import type { Model, ModelStatic, Sequelize } from 'sequelize'

export interface SessionRow extends Model<InferAttributes<SessionRow>, InferCreationAttributes<SessionRow>> {
  /** SHA-256 of the session id, base64url. */
  key: string
  /** Null until somebody logs in. */
  userId: number | null
  data: string
  address: string
  userAgent: string
  createdAt: CreationOptional<Date>
  lastSeenAt: Date
  expiresAt: Date
  /** Set once and for all: a request that is still under way cannot bring the session back. */
  endedAt: CreationOptional<Date | null>
}

export function defineSession(sequelize: Sequelize): ModelStatic<SessionRow> {
  return sequelize.define<SessionRow>(
    'Session',
    {
      key: { type: DataTypes.STRING(64), primaryKey: true },
      userId: { type: DataTypes.INTEGER },
      data: { type: DataTypes.TEXT, allowNull: false },
      address: { type: DataTypes.STRING(64), allowNull: false },
      userAgent: { type: DataTypes.STRING(256), allowNull: false },
      createdAt: { type: DataTypes.DATE, allowNull: false },
      lastSeenAt: { type: DataTypes.DATE, allowNull: false },
      expiresAt: { type: DataTypes.DATE, allowNull: false },
      endedAt: { type: DataTypes.DATE },
    },
    { tableName: 'sessions', timestamps: false },
  )
}
