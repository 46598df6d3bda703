import { DataTypes, type CreationOptional, type InferAttributes, type InferCreationAttributes } from 'sequelize'
import type { Model, ModelStatic, Sequelize } from 'sequelize'

export interface AuditEventRow extends Model<InferAttributes<AuditEventRow>, InferCreationAttributes<AuditEventRow>> {
  id: CreationOptional<number>
  at: Date
  /** Name of an `AuditEvent`, e.g. `user.created`. */
  type: string
  actorKind: string
  actorId: number | null
  actorName: string
  address: string | null
  objectId: number
  objectName: string
  /** JSON; holds no secret. */
  details: string
  outcome: string
  requestId: string | null
  /** Hash of the event before, and of this one: `db/audit-chain.ts`. */
  prevHash: string
  hash: string
}

export function defineAuditEvent(sequelize: Sequelize): ModelStatic<AuditEventRow> {
  return sequelize.define<AuditEventRow>(
    'AuditEvent',
    {
      id: { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true },
      at: { type: DataTypes.DATE, allowNull: false },
      type: { type: DataTypes.STRING(64), allowNull: false },
      actorKind: { type: DataTypes.STRING(16), allowNull: false },
      actorId: { type: DataTypes.INTEGER },
      actorName: { type: DataTypes.STRING(255), allowNull: false },
      address: { type: DataTypes.STRING(64) },
      objectId: { type: DataTypes.INTEGER, allowNull: false },
      objectName: { type: DataTypes.STRING(255), allowNull: false },
      details: { type: DataTypes.TEXT, allowNull: false },
      outcome: { type: DataTypes.STRING(16), allowNull: false },
      requestId: { type: DataTypes.STRING(64) },
      prevHash: { type: DataTypes.STRING(64), allowNull: false },
      hash: { type: DataTypes.STRING(64), allowNull: false },
    },
    { tableName: 'audit_events', timestamps: false },
  )
}
