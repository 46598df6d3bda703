import { DataTypes, type InferAttributes, type InferCreationAttributes } from 'sequelize'
import type { Model, ModelStatic, Sequelize } from 'sequelize'

export interface ServerHealthSampleRow extends Model<
  InferAttributes<ServerHealthSampleRow>,
  InferCreationAttributes<ServerHealthSampleRow>
> {
  serverId: number
  at: Date
  /** A `HealthState`. */
  state: string
  latencyMs: number | null
}

export function defineServerHealthSample(sequelize: Sequelize): ModelStatic<ServerHealthSampleRow> {
  return sequelize.define<ServerHealthSampleRow>(
    'ServerHealthSample',
    {
      serverId: { type: DataTypes.INTEGER, primaryKey: true },
      at: { type: DataTypes.DATE, primaryKey: true },
      state: { type: DataTypes.STRING(16), allowNull: false },
      latencyMs: { type: DataTypes.INTEGER },
    },
    { tableName: 'server_health_samples', timestamps: false },
  )
}
