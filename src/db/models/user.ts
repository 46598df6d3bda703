import { DataTypes, type CreationOptional, type InferAttributes, type InferCreationAttributes } from 'sequelize'
import type { Model, ModelStatic, Sequelize } from 'sequelize'

export interface UserRow extends Model<InferAttributes<UserRow>, InferCreationAttributes<UserRow>> {
  id: CreationOptional<number>
  username: string
  /** bcrypt, see `auth/password-hasher.ts`. */
  passwordHash: string
  role: 'admin' | 'user'
  disabled: CreationOptional<boolean>
  /** Grows with every change that must end what is open: password, disable, role, second factor. */
  authVersion: CreationOptional<number>
  /** Encrypted; a second factor only once it is confirmed. */
  totpSecret: CreationOptional<string | null>
  totpConfirmedAt: CreationOptional<Date | null>
  /** The last 30 s step whose code was used: no code counts twice. */
  totpLastStep: CreationOptional<number>
  mustChangePassword: CreationOptional<boolean>
  lastLoginAt: CreationOptional<Date | null>
  createdAt: CreationOptional<Date>
  updatedAt: CreationOptional<Date>
}

export function defineUser(sequelize: Sequelize): ModelStatic<UserRow> {
  return sequelize.define<UserRow>(
    'User',
    {
      id: { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true },
      username: { type: DataTypes.STRING(64), allowNull: false, unique: true },
      passwordHash: { type: DataTypes.STRING(100), allowNull: false },
      role: { type: DataTypes.STRING(16), allowNull: false },
      disabled: { type: DataTypes.BOOLEAN, allowNull: false, defaultValue: false },
      authVersion: { type: DataTypes.INTEGER, allowNull: false, defaultValue: 1 },
      totpSecret: { type: DataTypes.TEXT },
      totpConfirmedAt: { type: DataTypes.DATE },
      totpLastStep: { type: DataTypes.INTEGER, allowNull: false, defaultValue: 0 },
      mustChangePassword: { type: DataTypes.BOOLEAN, allowNull: false, defaultValue: false },
      lastLoginAt: { type: DataTypes.DATE },
      createdAt: { type: DataTypes.DATE, allowNull: false },
      updatedAt: { type: DataTypes.DATE, allowNull: false },
    },
    { tableName: 'users' },
  )
}
