import { DataTypes, type CreationOptional, type InferAttributes, type InferCreationAttributes } from 'sequelize'
import type { Model, ModelStatic, Sequelize } from 'sequelize'

/** An unused recovery code of a second factor; using it deletes it. */
export interface RecoveryCodeRow extends Model<
  InferAttributes<RecoveryCodeRow>,
  InferCreationAttributes<RecoveryCodeRow>
> {
  id: CreationOptional<number>
  userId: number
  /** SHA-256, hex. */
  codeHash: string
}

export function defineRecoveryCode(sequelize: Sequelize): ModelStatic<RecoveryCodeRow> {
  return sequelize.define<RecoveryCodeRow>(
    'RecoveryCode',
    {
      id: { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true },
      userId: { type: DataTypes.INTEGER, allowNull: false },
      codeHash: { type: DataTypes.STRING(64), allowNull: false },
    },
    { tableName: 'recovery_codes', timestamps: false },
  )
}
