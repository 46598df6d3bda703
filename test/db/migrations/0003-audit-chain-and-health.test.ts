import { expect } from 'chai'
import { join } from 'node:path'
import { Sequelize } from 'sequelize'
import { verifyChain } from '../../../src/audit/verify-chain.js'
import { openDatabase } from '../../../src/db/database.js'
import { initial } from '../../../src/db/migrations/0001-initial.js'
import { APPLICATION_ID } from '../../../src/db/schema-check.js'
import { sqlDate } from '../../../src/db/sql-date.js'
import { temporaryFolder } from '../../support/services.js'

describe('migration 0003', () => {
  it('chains the events that are there, and leaves what they say', async () => {
    const { folder, remove } = await temporaryFolder()
    const sequelize = new Sequelize({ dialect: 'sqlite', storage: join(folder, 'ftpcluster.sqlite'), logging: false })
    await sequelize.query(`PRAGMA application_id=${APPLICATION_ID}`)
    await sequelize.transaction(async (transaction) => {
      const context = { queryInterface: sequelize.getQueryInterface(), transaction }
      await initial.up({ name: initial.name, path: '', context })
    })
    await sequelize.query('CREATE TABLE schema_migrations (name VARCHAR(255) PRIMARY KEY, run_at VARCHAR(40))')
    await sequelize.query(`INSERT INTO schema_migrations VALUES ('0001-initial', '')`)
    const rows = Array.from({ length: 1500 }, (_, index) => {
      const at = sqlDate(new Date(Date.UTC(2026, 0, 1) + index))
      const address = index % 2 === 0 ? 'NULL' : `'192.0.2.1'`
      return `('${at}', 'user.disabled', 'cli', ${index % 3 === 0 ? 'NULL' : 1}, 'root', ${address}, 1, 'an''na', '{}')`
    })
    const columns = 'at, type, actor_kind, actor_id, actor_name, address, object_id, object_name, details'
    await sequelize.query(`INSERT INTO audit_events (${columns}) VALUES ${rows.join(',')}`)
    await sequelize.close()

    const database = await openDatabase({ dataDir: folder })
    try {
      expect(await verifyChain(database.audit, undefined)).to.include({ ok: true, events: 1500, last: 1500 })
      const [first] = await database.audit.after(0, 1)
      expect(first).to.include({ type: 'user.disabled', outcome: 'ok', objectName: "an'na", requestId: null })
      expect(first?.at).to.deep.equal(new Date(Date.UTC(2026, 0, 1)))
    } finally {
      await database.close()
      await remove()
    }
  })
})
