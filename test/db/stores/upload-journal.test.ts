import { expect } from 'chai'
import { openDatabase } from '../../../src/db/database.js'
import { openTestServices, type TestServices } from '../../support/services.js'

const upload = { permissionId: 4, serverId: 5, temporary: '/d/.tmp', target: '/d/f', startedAt: 1_700_000_000_123 }

describe('DatabaseUploadJournal', () => {
  let services: TestServices

  beforeEach(async () => (services = await openTestServices()))
  afterEach(() => services.close())

  it('shows to another process what was begun as soon as it is told', async () => {
    const id = await services.database.uploads.begin(upload)
    const other = await openDatabase({ dataDir: services.folder })
    try {
      expect(await other.uploads.leftovers(new Set())).to.deep.equal([{ ...upload, id, backup: undefined }])
      await services.database.uploads.swapping(id, '/d/.backup')
      expect((await other.uploads.leftovers(new Set()))[0]?.backup).to.equal('/d/.backup')
      expect(await other.uploads.leftovers(new Set([id]))).to.deep.equal([])
      await services.database.uploads.end(id)
      expect(await other.uploads.leftovers(new Set())).to.deep.equal([])
    } finally {
      await other.close()
    }
  })

  it('gives every upload an id of its own, also in parallel, and never one again', async () => {
    const { uploads } = services.database
    const ids = await Promise.all(Array.from({ length: 100 }, () => uploads.begin(upload)))
    expect(new Set(ids).size).to.equal(100)
    await Promise.all(ids.map((id) => uploads.end(id)))
    expect(await uploads.begin(upload)).to.be.greaterThan(Math.max(...ids))
  })
})
