import { expect } from 'chai'
import { QueryTypes } from 'sequelize'
import { oldSecrets } from '../../../src/db/migrations/0006-old-secrets.js'
import { actor, openTestServices } from '../../support/services.js'
import { NEW_ACCOUNT } from '../../../src/sync/managed-accounts.js'

describe('migration 0006', () => {
  it('drops a column that nothing was ever kept in, and leaves the accounts', async () => {
    const services = await openTestServices()
    const { database, servers } = services
    try {
      const { id } = await servers.create({ alias: 'a', protocol: 'ftp', host: 'h' }, actor)
      await database.models.ManagedAccount.create({ ...NEW_ACCOUNT, serverId: id, name: 'anna', state: 'enabled' })
      const { sequelize } = database.models.ManagedAccount
      if (!sequelize) throw new Error('no database')
      const read = () => sequelize.query('SELECT * FROM managed_accounts', { type: QueryTypes.SELECT })
      const after = await read()
      expect(after).to.have.length(1)
      expect(after[0]).to.not.have.property('old_secret')
      await sequelize.query('ALTER TABLE managed_accounts ADD COLUMN old_secret TEXT')
      await database.transaction(async (transaction) => {
        const context = { queryInterface: sequelize.getQueryInterface(), transaction }
        await oldSecrets.up({ name: oldSecrets.name, path: '', context })
      })
      expect(await read()).to.deep.equal(after)
    } finally {
      await services.close()
    }
  })
})
