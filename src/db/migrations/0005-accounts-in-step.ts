import { DataTypes } from 'sequelize'
import type { Migration } from '../migrate.js'

const id = { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true }
const required = { type: DataTypes.DATE, allowNull: false }
const moment = { type: DataTypes.DATE }
const flag = { type: DataTypes.BOOLEAN, allowNull: false, defaultValue: false }
const count = { type: DataTypes.INTEGER, allowNull: false, defaultValue: 0 }
const word = { type: DataTypes.STRING(32), allowNull: false }

function reference(table: string, onDelete = 'CASCADE', allowNull = false) {
  return { type: DataTypes.INTEGER, allowNull, references: { model: table, key: 'id' }, onDelete }
}

export const accountsInStep: Migration = {
  name: '0005-accounts-in-step',
  async up({ context: { queryInterface, transaction } }) {
    await queryInterface.addColumn('permissions', 'managed', flag, { transaction })
    await queryInterface.addColumn('permissions', 'home', { type: DataTypes.TEXT }, { transaction })

    await queryInterface.createTable(
      'provisioners',
      {
        server_id: { ...reference('servers'), primaryKey: true },
        kind: word,
        settings: { type: DataTypes.TEXT, allowNull: false },
        secrets: { type: DataTypes.TEXT },
        secret_kind: word,
        automatic: flag,
        check_every: { type: DataTypes.INTEGER },
        rotate_every: { type: DataTypes.INTEGER },
        findings: { type: DataTypes.TEXT },
        read_at: moment,
        problem: { type: DataTypes.TEXT },
        attempts: count,
        next_attempt_at: moment,
        claimed_by: { type: DataTypes.STRING(255) },
        claimed_until: moment,
        created_at: required,
        updated_at: required,
      },
      { transaction },
    )
    await queryInterface.createTable(
      'managed_accounts',
      {
        id,
        server_id: reference('servers'),
        permission_id: reference('permissions', 'SET NULL', true),
        name: { type: DataTypes.STRING(255), allowNull: false },
        origin: word,
        state: word,
        ending: word,
        home: { type: DataTypes.TEXT },
        archived_home: { type: DataTypes.TEXT },
        secret_version: { type: DataTypes.INTEGER },
        secret_set_at: moment,
        secret_rejected_at: moment,
        secret_checked_at: moment,
        pending_secret: { type: DataTypes.TEXT },
        old_secret: { type: DataTypes.TEXT },
        old_secret_until: moment,
        rotate: flag,
        last_seen_at: moment,
        created_at: required,
        updated_at: required,
      },
      { transaction },
    )
    await queryInterface.addIndex('managed_accounts', ['server_id', 'name'], { unique: true, transaction })
    await queryInterface.addIndex('managed_accounts', ['permission_id'], { transaction })

    await queryInterface.createTable(
      'sync_runs',
      {
        id,
        kind: word,
        state: word,
        actor: { type: DataTypes.TEXT, allowNull: false },
        plan: { type: DataTypes.TEXT },
        created_at: required,
        started_at: moment,
        finished_at: moment,
      },
      { transaction },
    )
    await queryInterface.createTable(
      'sync_steps',
      {
        id,
        run_id: reference('sync_runs'),
        server_id: reference('servers'),
        account: { type: DataTypes.STRING(255), allowNull: false },
        kind: word,
        state: word,
        detail: { type: DataTypes.TEXT },
        attempts: count,
        next_attempt_at: moment,
        reason: { type: DataTypes.TEXT },
        created_at: required,
        finished_at: moment,
      },
      { transaction },
    )
    await queryInterface.addIndex('sync_steps', ['state', 'server_id'], { transaction })
    await queryInterface.addIndex('sync_steps', ['run_id'], { transaction })
    await queryInterface.addIndex('sync_steps', ['server_id', 'account'], { transaction })
  },
}
