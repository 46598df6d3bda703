import { DataTypes, type CreationOptional, type InferAttributes, type InferCreationAttributes } from 'sequelize'
import type { Model, ModelStatic, Sequelize } from 'sequelize'

/** A plan and what became of it. */
export interface SyncRunRow extends Model<InferAttributes<SyncRunRow>, InferCreationAttributes<SyncRunRow>> {
  id: CreationOptional<number>
  /** `plan` (asked for), `change` (by a permission or user), `repair` (found by a check). */
  kind: string
  /** A `RunState`. */
  state: string
  /** `Actor` as JSON. */
  actor: string
  /** `ServerPlan[]` as JSON. */
  plan: string | null
  createdAt: Date
  startedAt: Date | null
  finishedAt: Date | null
}

export function defineSyncRun(sequelize: Sequelize): ModelStatic<SyncRunRow> {
  return sequelize.define<SyncRunRow>(
    'SyncRun',
    {
      id: { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true },
      kind: { type: DataTypes.STRING(32), allowNull: false },
      state: { type: DataTypes.STRING(32), allowNull: false },
      actor: { type: DataTypes.TEXT, allowNull: false },
      plan: { type: DataTypes.TEXT },
      createdAt: { type: DataTypes.DATE, allowNull: false },
      startedAt: { type: DataTypes.DATE },
      finishedAt: { type: DataTypes.DATE },
    },
    { tableName: 'sync_runs', timestamps: false },
  )
}
