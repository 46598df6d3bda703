import { DataTypes, type CreationOptional, type InferAttributes, type InferCreationAttributes } from 'sequelize'
import type { Model, ModelStatic, Sequelize } from 'sequelize'

/** How the accounts of one server are kept in step. */
export interface ProvisionerRow extends Model<
  InferAttributes<ProvisionerRow>,
  InferCreationAttributes<ProvisionerRow>
> {
  serverId: number
  /** A `ProvisionerKind`. */
  kind: string
  /** Of the kind, as JSON; no secrets. */
  settings: string
  /** `ProvisionerSecrets` as JSON, encrypted. */
  secrets: string | null
  /** What new accounts log in with: `password` or `key`. */
  secretKind: string
  /** Differences are mended without a click. */
  automatic: boolean
  /** Minutes between two checks; null: none by itself. */
  checkEvery: number | null
  /** Days that a secret serves; null: until somebody rotates it. */
  rotateEvery: number | null
  /** `ServerPlan` of the last read, as JSON. */
  findings: string | null
  readAt: Date | null
  /** Why the server could not be read or changed the last time. */
  problem: string | null
  /** In vain, since it last worked. */
  attempts: CreationOptional<number>
  nextAttemptAt: Date | null
  /** Process that works on the server now. */
  claimedBy: string | null
  claimedUntil: Date | null
  createdAt: CreationOptional<Date>
  updatedAt: CreationOptional<Date>
}

export function defineProvisioner(sequelize: Sequelize): ModelStatic<ProvisionerRow> {
  return sequelize.define<ProvisionerRow>(
    'Provisioner',
    {
      serverId: { type: DataTypes.INTEGER, primaryKey: true },
      kind: { type: DataTypes.STRING(32), allowNull: false },
      settings: { type: DataTypes.TEXT, allowNull: false },
      secrets: { type: DataTypes.TEXT },
      secretKind: { type: DataTypes.STRING(32), allowNull: false },
      automatic: { type: DataTypes.BOOLEAN, allowNull: false, defaultValue: false },
      checkEvery: { type: DataTypes.INTEGER },
      rotateEvery: { type: DataTypes.INTEGER },
      findings: { type: DataTypes.TEXT },
      readAt: { type: DataTypes.DATE },
      problem: { type: DataTypes.TEXT },
      attempts: { type: DataTypes.INTEGER, allowNull: false, defaultValue: 0 },
      nextAttemptAt: { type: DataTypes.DATE },
      claimedBy: { type: DataTypes.STRING(255) },
      claimedUntil: { type: DataTypes.DATE },
      createdAt: { type: DataTypes.DATE, allowNull: false },
      updatedAt: { type: DataTypes.DATE, allowNull: false },
    },
    { tableName: 'provisioners' },
  )
}
