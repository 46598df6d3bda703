import { DataTypes, type InferAttributes, type InferCreationAttributes } from 'sequelize'
import type { Model, ModelStatic, Sequelize } from 'sequelize'

/** One row, `id` 1: how often something changed that decides who may reach what. */
export interface RevisionRow extends Model<InferAttributes<RevisionRow>, InferCreationAttributes<RevisionRow>> {
  id: number
  value: number
}

export function defineRevision(sequelize: Sequelize): ModelStatic<RevisionRow> {
  return sequelize.define<RevisionRow>(
    'Revision',
    {
      id: { type: DataTypes.INTEGER, primaryKey: true },
      value: { type: DataTypes.BIGINT, allowNull: false },
    },
    { tableName: 'revision', timestamps: false },
  )
}
