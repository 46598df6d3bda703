import { DataTypes, type CreationOptional, type InferAttributes, type InferCreationAttributes } from 'sequelize'
import type { Model, ModelStatic, Sequelize } from 'sequelize'

/** One step on one account: waiting, under way or done. */
export interface SyncStepRow extends Model<InferAttributes<SyncStepRow>, InferCreationAttributes<SyncStepRow>> {
  id: CreationOptional<number>
  runId: number
  serverId: number
  account: string
  /** A `StepKind`. */
  kind: string
  /** A `StepState`. */
  state: string
  detail: string | null
  attempts: CreationOptional<number>
  nextAttemptAt: Date | null
  /** Why it failed or waits. */
  reason: string | null
  createdAt: Date
  finishedAt: Date | null
}

export function defineSyncStep(sequelize: Sequelize): ModelStatic<SyncStepRow> {
  return sequelize.define<SyncStepRow>(
    'SyncStep',
    {
      id: { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true },
      runId: { type: DataTypes.INTEGER, allowNull: false },
      serverId: { type: DataTypes.INTEGER, allowNull: false },
      account: { type: DataTypes.STRING(255), allowNull: false },
      kind: { type: DataTypes.STRING(32), allowNull: false },
      state: { type: DataTypes.STRING(32), allowNull: false },
      detail: { type: DataTypes.TEXT },
      attempts: { type: DataTypes.INTEGER, allowNull: false, defaultValue: 0 },
      nextAttemptAt: { type: DataTypes.DATE },
      reason: { type: DataTypes.TEXT },
      createdAt: { type: DataTypes.DATE, allowNull: false },
      finishedAt: { type: DataTypes.DATE },
    },
    { tableName: 'sync_steps', timestamps: false },
  )
}
