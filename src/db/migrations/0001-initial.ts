import { DataTypes } from 'sequelize'
import type { Migration } from '../migrate.js'

const id = { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true }
const timestamps = {
  created_at: { type: DataTypes.DATE, allowNull: false },
  updated_at: { type: DataTypes.DATE, allowNull: false },
}

function reference(table: string) {
  return {
    type: DataTypes.INTEGER,
    allowNull: false,
    references: { model: table, key: 'id' },
    onDelete: 'CASCADE',
  }
}

export const initial: Migration = {
  name: '0001-initial',
  async up({ context: { queryInterface, transaction } }) {
    await queryInterface.createTable(
      'users',
      {
        id,
        username: { type: DataTypes.STRING(64), allowNull: false, unique: true },
        password_hash: { type: DataTypes.STRING(100), allowNull: false },
        role: { type: DataTypes.STRING(16), allowNull: false },
        disabled: { type: DataTypes.BOOLEAN, allowNull: false, defaultValue: false },
        auth_version: { type: DataTypes.INTEGER, allowNull: false, defaultValue: 1 },
        ...timestamps,
      },
      { transaction },
    )
    await queryInterface.createTable(
      'servers',
      {
        id,
        alias: { type: DataTypes.STRING(64), allowNull: false },
        alias_key: { type: DataTypes.STRING(64), allowNull: false, unique: true },
        protocol: { type: DataTypes.STRING(16), allowNull: false },
        host: { type: DataTypes.STRING(253), allowNull: false },
        port: { type: DataTypes.INTEGER, allowNull: false },
        enabled: { type: DataTypes.BOOLEAN, allowNull: false, defaultValue: true },
        trust: { type: DataTypes.TEXT, allowNull: false },
        admin_user: { type: DataTypes.STRING(255) },
        admin_pass: { type: DataTypes.TEXT },
        max_connections: { type: DataTypes.INTEGER },
        max_connections_per_account: { type: DataTypes.INTEGER },
        encoding: { type: DataTypes.STRING(16), allowNull: false },
        homes: { type: DataTypes.STRING(16), allowNull: false },
        upload_mode: { type: DataTypes.STRING(16), allowNull: false },
        version: { type: DataTypes.INTEGER, allowNull: false, defaultValue: 1 },
        ...timestamps,
      },
      { transaction },
    )
    await queryInterface.createTable(
      'permissions',
      {
        id,
        user_id: reference('users'),
        server_id: reference('servers'),
        remote_user: { type: DataTypes.STRING(255) },
        user_pass: { type: DataTypes.TEXT },
        private_key: { type: DataTypes.TEXT },
        passphrase: { type: DataTypes.TEXT },
        secret_version: { type: DataTypes.INTEGER, allowNull: false, defaultValue: 1 },
        access: { type: DataTypes.STRING(16), allowNull: false },
        root: { type: DataTypes.TEXT },
        ends_at: { type: DataTypes.DATE },
        ...timestamps,
      },
      { transaction },
    )
    await queryInterface.addIndex('permissions', ['user_id', 'server_id'], { unique: true, transaction })
    await queryInterface.addIndex('permissions', ['server_id'], { transaction })

    await queryInterface.createTable(
      'audit_events',
      {
        id,
        at: { type: DataTypes.DATE, allowNull: false },
        type: { type: DataTypes.STRING(64), allowNull: false },
        actor_kind: { type: DataTypes.STRING(16), allowNull: false },
        actor_id: { type: DataTypes.INTEGER },
        actor_name: { type: DataTypes.STRING(255), allowNull: false },
        address: { type: DataTypes.STRING(64) },
        object_id: { type: DataTypes.INTEGER, allowNull: false },
        object_name: { type: DataTypes.STRING(255), allowNull: false },
        details: { type: DataTypes.TEXT, allowNull: false },
      },
      { transaction },
    )
    await queryInterface.addIndex('audit_events', ['at'], { transaction })
    for (const verb of ['UPDATE', 'DELETE']) {
      await queryInterface.sequelize.query(
        `CREATE TRIGGER audit_events_no_${verb.toLowerCase()} BEFORE ${verb} ON audit_events
         BEGIN SELECT RAISE(ABORT, 'audit events are append-only'); END`,
        { transaction },
      )
    }

    await queryInterface.createTable(
      'dav_locks',
      {
        token: { type: DataTypes.STRING(255), primaryKey: true },
        namespace: { type: DataTypes.STRING(320), allowNull: false },
        path: { type: DataTypes.TEXT, allowNull: false },
        depth: { type: DataTypes.STRING(8), allowNull: false },
        scope: { type: DataTypes.STRING(16), allowNull: false },
        user_id: { type: DataTypes.INTEGER, allowNull: false },
        owner_xml: { type: DataTypes.TEXT, allowNull: false },
        expires_at: { type: DataTypes.BIGINT, allowNull: false },
      },
      { transaction },
    )
    await queryInterface.createTable(
      'dav_properties',
      {
        namespace: { type: DataTypes.STRING(320), primaryKey: true },
        path: { type: DataTypes.TEXT, primaryKey: true },
        xml_namespace: { type: DataTypes.TEXT, primaryKey: true },
        name: { type: DataTypes.TEXT, primaryKey: true },
        parent: { type: DataTypes.TEXT, allowNull: false },
        xml: { type: DataTypes.TEXT, allowNull: false },
      },
      { transaction },
    )
    await queryInterface.addIndex('dav_properties', ['namespace', 'parent'], { transaction })
    await queryInterface.createTable(
      'upload_journal',
      {
        id,
        permission_id: { type: DataTypes.INTEGER, allowNull: false },
        server_id: { type: DataTypes.INTEGER, allowNull: false },
        temporary: { type: DataTypes.TEXT, allowNull: false },
        target: { type: DataTypes.TEXT, allowNull: false },
        backup: { type: DataTypes.TEXT },
        started_at: { type: DataTypes.BIGINT, allowNull: false },
      },
      { transaction },
    )
    await queryInterface.createTable(
      'revision',
      { id: { type: DataTypes.INTEGER, primaryKey: true }, value: { type: DataTypes.BIGINT, allowNull: false } },
      { transaction },
    )
    await queryInterface.bulkInsert('revision', [{ id: 1, value: 0 }], { transaction })
    await queryInterface.createTable(
      'settings',
      {
        name: { type: DataTypes.STRING(64), primaryKey: true },
        value: { type: DataTypes.TEXT, allowNull: false },
      },
      { transaction },
    )
  },
}
