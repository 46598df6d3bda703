import { DataTypes, type InferAttributes, type InferCreationAttributes, type Model } from 'sequelize'
import type { ModelStatic, Sequelize } from 'sequelize'

/** A JWT that was given up before its time; kept until it would have expired. */
export interface RevokedJwtRow extends Model<InferAttributes<RevokedJwtRow>, InferCreationAttributes<RevokedJwtRow>> {
  jti: string
  expiresAt: Date
}

export function defineRevokedJwt(sequelize: Sequelize): ModelStatic<RevokedJwtRow> {
  return sequelize.define<RevokedJwtRow>(
    'RevokedJwt',
    {
      jti: { type: DataTypes.STRING(64), primaryKey: true },
      expiresAt: { type: DataTypes.DATE, allowNull: false },
    },
    { tableName: 'revoked_jwts', timestamps: false },
  )
}
