import type { Migration } from '../migrate.js'

/** A secret of before is known to the gateway as the permission's own until another takes its place: only its end has to be kept. */
export const oldSecrets: Migration = {
  name: '0006-old-secrets',
  async up({ context: { queryInterface, transaction } }) {
    await queryInterface.sequelize.query('ALTER TABLE managed_accounts DROP COLUMN old_secret', { transaction })
  },
}
