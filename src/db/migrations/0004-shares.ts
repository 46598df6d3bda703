import { DataTypes } from 'sequelize'
import type { Migration } from '../migrate.js'

function row(table: string) {
  return {
    type: DataTypes.INTEGER,
    allowNull: false,
    references: { model: table, key: 'id' },
    onDelete: 'CASCADE',
  }
}

export const shares: Migration = {
  name: '0004-shares',
  async up({ context: { queryInterface, transaction } }) {
    await queryInterface.createTable(
      'shares',
      {
        id: { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true },
        permission_id: row('permissions'),
        recipient_id: row('users'),
        path: { type: DataTypes.TEXT, allowNull: false },
        kind: { type: DataTypes.STRING(16), allowNull: false },
        remote_user: { type: DataTypes.STRING(255), allowNull: false },
        root: { type: DataTypes.TEXT },
        note: { type: DataTypes.TEXT, allowNull: false },
        ends_at: { type: DataTypes.DATE },
        created_at: { type: DataTypes.DATE, allowNull: false },
      },
      { transaction },
    )
    const fields = ['permission_id', 'recipient_id', 'path']
    await queryInterface.addIndex('shares', { fields, unique: true, transaction })
    await queryInterface.addIndex('shares', ['recipient_id'], { transaction })
  },
}
