import { DataTypes, type CreationOptional, type InferAttributes, type InferCreationAttributes } from 'sequelize'
import type { Model, ModelStatic, Sequelize } from 'sequelize'

/** An `UploadRecord` of `vfs/ports.ts`. */
export interface UploadJournalRow extends Model<
  InferAttributes<UploadJournalRow>,
  InferCreationAttributes<UploadJournalRow>
> {
  id: CreationOptional<number>
  permissionId: number
  serverId: number
  temporary: string
  target: string
  backup: string | null
  /** Milliseconds since the epoch. */
  startedAt: number
}

export function defineUploadJournal(sequelize: Sequelize): ModelStatic<UploadJournalRow> {
  return sequelize.define<UploadJournalRow>(
    'UploadJournal',
    {
      id: { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true },
      permissionId: { type: DataTypes.INTEGER, allowNull: false },
      serverId: { type: DataTypes.INTEGER, allowNull: false },
      temporary: { type: DataTypes.TEXT, allowNull: false },
      target: { type: DataTypes.TEXT, allowNull: false },
      backup: { type: DataTypes.TEXT },
      startedAt: { type: DataTypes.BIGINT, allowNull: false },
    },
    { tableName: 'upload_journal', timestamps: false },
  )
}
