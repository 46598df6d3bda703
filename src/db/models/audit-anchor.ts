import { DataTypes, type CreationOptional, type InferAttributes, type InferCreationAttributes } from 'sequelize'
import type { Model, ModelStatic, Sequelize } from 'sequelize'

/** The chain of audit events as it was at one moment, under a key that is not in the database. */
export interface AuditAnchorRow extends Model<
  InferAttributes<AuditAnchorRow>,
  InferCreationAttributes<AuditAnchorRow>
> {
  id: CreationOptional<number>
  /** `anchor`, or `cut`: what lies up to here was removed by the retention. */
  kind: string
  eventId: number
  /** Of that event. */
  hash: string
  at: Date
  keyId: string
  mac: string
}

export function defineAuditAnchor(sequelize: Sequelize): ModelStatic<AuditAnchorRow> {
  return sequelize.define<AuditAnchorRow>(
    'AuditAnchor',
    {
      id: { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true },
      kind: { type: DataTypes.STRING(8), allowNull: false },
      eventId: { type: DataTypes.INTEGER, allowNull: false },
      hash: { type: DataTypes.STRING(64), allowNull: false },
      at: { type: DataTypes.DATE, allowNull: false },
      keyId: { type: DataTypes.STRING(16), allowNull: false },
      mac: { type: DataTypes.STRING(64), allowNull: false },
    },
    { tableName: 'audit_anchors', timestamps: false },
  )
}
