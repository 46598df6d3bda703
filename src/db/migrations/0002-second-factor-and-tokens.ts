import { DataTypes } from 'sequelize'
import type { Migration } from '../migrate.js'

const id = { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true }
const required = { type: DataTypes.DATE, allowNull: false }
const flag = { type: DataTypes.BOOLEAN, allowNull: false, defaultValue: false }

function user(allowNull = false) {
  return { type: DataTypes.INTEGER, allowNull, references: { model: 'users', key: 'id' }, onDelete: 'CASCADE' }
}

/** What app passwords and API tokens have in common. */
const secret = {
  id,
  user_id: user(),
  name: { type: DataTypes.STRING(64), allowNull: false },
  prefix: { type: DataTypes.STRING(16), allowNull: false, unique: true },
  secret_hash: { type: DataTypes.STRING(64), allowNull: false },
  servers: { type: DataTypes.TEXT },
  expires_at: { type: DataTypes.DATE },
  created_at: required,
  last_used_at: { type: DataTypes.DATE },
  last_used_address: { type: DataTypes.STRING(64) },
}

export const secondFactorAndTokens: Migration = {
  name: '0002-second-factor-and-tokens',
  async up({ context: { queryInterface, transaction } }) {
    const columns = {
      totp_secret: { type: DataTypes.TEXT },
      totp_confirmed_at: { type: DataTypes.DATE },
      totp_last_step: { type: DataTypes.INTEGER, allowNull: false, defaultValue: 0 },
      must_change_password: flag,
      last_login_at: { type: DataTypes.DATE },
    }
    for (const [name, column] of Object.entries(columns)) {
      await queryInterface.addColumn('users', name, column, { transaction })
    }
    await queryInterface.addColumn('permissions', 'self_service', flag, { transaction })

    await queryInterface.createTable(
      'recovery_codes',
      { id, user_id: user(), code_hash: { type: DataTypes.STRING(64), allowNull: false } },
      { transaction },
    )
    await queryInterface.addIndex('recovery_codes', ['user_id', 'code_hash'], { transaction })

    await queryInterface.createTable('app_passwords', { ...secret, read_only: flag }, { transaction })
    await queryInterface.addIndex('app_passwords', ['user_id'], { transaction })
    await queryInterface.createTable(
      'api_tokens',
      { ...secret, scopes: { type: DataTypes.TEXT, allowNull: false } },
      { transaction },
    )
    await queryInterface.addIndex('api_tokens', ['user_id'], { transaction })

    await queryInterface.createTable(
      'sessions',
      {
        key: { type: DataTypes.STRING(64), primaryKey: true },
        user_id: user(true),
        data: { type: DataTypes.TEXT, allowNull: false },
        address: { type: DataTypes.STRING(64), allowNull: false },
        user_agent: { type: DataTypes.STRING(256), allowNull: false },
        created_at: required,
        last_seen_at: required,
        expires_at: required,
        ended_at: { type: DataTypes.DATE },
      },
      { transaction },
    )
    await queryInterface.addIndex('sessions', ['user_id'], { transaction })
    await queryInterface.addIndex('sessions', ['expires_at'], { transaction })

    await queryInterface.createTable(
      'revoked_jwts',
      { jti: { type: DataTypes.STRING(64), primaryKey: true }, expires_at: required },
      { transaction },
    )
  },
}
