import { DataTypes, QueryTypes, type Sequelize, type Transaction } from 'sequelize'
import { eventHash, GENESIS } from '../audit-chain.js'
import type { Migration } from '../migrate.js'
import { dateOfSql } from '../sql-date.js'

const BATCH = 1000

interface OldEvent {
  readonly id: number
  readonly at: string
  readonly type: string
  readonly actor_kind: string
  readonly actor_id: number | null
  readonly actor_name: string
  readonly address: string | null
  readonly object_id: number
  readonly object_name: string
  readonly details: string
}

export const auditChainAndHealth: Migration = {
  name: '0003-audit-chain-and-health',
  async up({ context: { queryInterface, transaction } }) {
    const { sequelize } = queryInterface
    const run = (sql: string) => sequelize.query(sql, { transaction })

    await run('DROP TRIGGER audit_events_no_update')
    await run('DROP TRIGGER audit_events_no_delete')
    await run(`ALTER TABLE audit_events ADD COLUMN outcome VARCHAR(16) NOT NULL DEFAULT 'ok'`)
    await run('ALTER TABLE audit_events ADD COLUMN request_id VARCHAR(64)')
    await run(`ALTER TABLE audit_events ADD COLUMN prev_hash CHAR(64) NOT NULL DEFAULT ''`)
    await run(`ALTER TABLE audit_events ADD COLUMN hash CHAR(64) NOT NULL DEFAULT ''`)
    await chainEvents(sequelize, transaction)
    await queryInterface.addIndex('audit_events', ['actor_name', 'id'], { transaction })
    await queryInterface.addIndex('audit_events', ['type', 'id'], { transaction })

    await queryInterface.createTable(
      'audit_anchors',
      {
        id: { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true },
        kind: { type: DataTypes.STRING(8), allowNull: false },
        event_id: { type: DataTypes.INTEGER, allowNull: false },
        hash: { type: DataTypes.STRING(64), allowNull: false },
        at: { type: DataTypes.DATE, allowNull: false },
        key_id: { type: DataTypes.STRING(16), allowNull: false },
        mac: { type: DataTypes.STRING(64), allowNull: false },
      },
      { transaction },
    )
    await queryInterface.addIndex('audit_anchors', ['event_id'], { transaction })

    await run(`CREATE TRIGGER audit_events_no_update BEFORE UPDATE ON audit_events
      BEGIN SELECT RAISE(ABORT, 'audit events are append-only'); END`)
    // REPLACE deletes without asking the triggers of DELETE.
    await run(`CREATE TRIGGER audit_events_no_replace BEFORE INSERT ON audit_events
      WHEN EXISTS (SELECT 1 FROM audit_events WHERE id = NEW.id)
      BEGIN SELECT RAISE(ABORT, 'audit events are append-only'); END`)
    // Retention writes down where it cuts, and only then can what lies before that go.
    await run(`CREATE TRIGGER audit_events_no_delete BEFORE DELETE ON audit_events
      WHEN NOT EXISTS (SELECT 1 FROM audit_anchors WHERE kind = 'cut' AND event_id >= OLD.id)
      BEGIN SELECT RAISE(ABORT, 'audit events are append-only'); END`)
    await run(`CREATE TRIGGER audit_anchors_no_update BEFORE UPDATE ON audit_anchors
      BEGIN SELECT RAISE(ABORT, 'audit anchors are append-only'); END`)
    await run(`CREATE TRIGGER audit_anchors_no_delete BEFORE DELETE ON audit_anchors
      WHEN NOT EXISTS (SELECT 1 FROM audit_anchors WHERE kind = 'cut' AND event_id > OLD.event_id)
      BEGIN SELECT RAISE(ABORT, 'audit anchors are append-only'); END`)

    await queryInterface.createTable(
      'permission_usage',
      {
        permission_id: {
          type: DataTypes.INTEGER,
          primaryKey: true,
          references: { model: 'permissions', key: 'id' },
          onDelete: 'CASCADE',
        },
        last_used_at: { type: DataTypes.DATE },
        login_rejected_at: { type: DataTypes.DATE },
      },
      { transaction },
    )
    await queryInterface.createTable(
      'server_health_samples',
      {
        server_id: {
          type: DataTypes.INTEGER,
          primaryKey: true,
          references: { model: 'servers', key: 'id' },
          onDelete: 'CASCADE',
        },
        at: { type: DataTypes.DATE, primaryKey: true },
        state: { type: DataTypes.STRING(16), allowNull: false },
        latency_ms: { type: DataTypes.INTEGER },
      },
      { transaction },
    )
  },
}

async function chainEvents(sequelize: Sequelize, transaction: Transaction): Promise<void> {
  let previous = GENESIS
  let last = 0
  for (;;) {
    const rows = await sequelize.query<OldEvent>(
      'SELECT * FROM audit_events WHERE id > :last ORDER BY id LIMIT :limit',
      {
        type: QueryTypes.SELECT,
        replacements: { last, limit: BATCH },
        transaction,
      },
    )
    for (const row of rows) {
      const hash = eventHash(previous, row.id, {
        at: dateOfSql(row.at),
        type: row.type,
        outcome: 'ok',
        actorKind: row.actor_kind,
        actorId: row.actor_id,
        actorName: row.actor_name,
        address: row.address,
        objectId: row.object_id,
        objectName: row.object_name,
        requestId: null,
        details: row.details,
      })
      await sequelize.query('UPDATE audit_events SET prev_hash = :previous, hash = :hash WHERE id = :id', {
        replacements: { previous, hash, id: row.id },
        transaction,
      })
      previous = hash
      last = row.id
    }
    if (rows.length < BATCH) return
  }
}
