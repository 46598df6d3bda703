import { DataTypes, type InferAttributes, type InferCreationAttributes } from 'sequelize'
import type { Model, ModelStatic, Sequelize } from 'sequelize'

/** What the gateway itself remembers, e.g. the check value of the master key. */
export interface SettingRow extends Model<InferAttributes<SettingRow>, InferCreationAttributes<SettingRow>> {
  name: string
  value: string
}

export function defineSetting(sequelize: Sequelize): ModelStatic<SettingRow> {
  return sequelize.define<SettingRow>(
    'Setting',
    {
      name: { type: DataTypes.STRING(64), primaryKey: true },
      value: { type: DataTypes.TEXT, allowNull: false },
    },
    { tableName: 'settings', timestamps: false },
  )
}
