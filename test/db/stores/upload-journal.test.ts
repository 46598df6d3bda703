import { mock } from 'node:test'
import { expect } from 'chai'
import sqlite3 from 'sqlite3'
import { openDatabase } from '../../../src/db/database.js'
import { openTestServices, rejectionOf, type TestServices } from '../../support/services.js'

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

  it('gives each of many at once the id of its own row', async () => {
    const { uploads } = services.database
    const begun = Array.from({ length: 30 }, (_, n) => ({
      ...upload,
      temporary: `/d/"${n}\\é\u{1f600}`,
      target: `/d/${n}`,
    }))
    const ids = await Promise.all(begun.map((one) => uploads.begin(one)))
    await Promise.all(ids.slice(0, 10).map((id, n) => uploads.swapping(id, `/d/.backup-${n}`)))
    await Promise.all(ids.slice(20).map((id) => uploads.end(id)))
    const expected = begun.map((one, n) => ({ ...one, id: ids[n], backup: n < 10 ? `/d/.backup-${n}` : undefined }))
    expect(await uploads.leftovers(new Set())).to.deep.equal(expected.slice(0, 20))
  })

  it('writes what sixteen uploads at once begin by two statements, and what they end by one', async () => {
    const { uploads } = services.database
    const statements = await statementsOf(async () => {
      const ids = await Promise.all(Array.from({ length: 16 }, () => uploads.begin(upload)))
      await Promise.all(ids.map((id) => uploads.end(id)))
    })
    expect(statements).to.deep.equal({ run: 0, all: 3 })
  })

  it('tells every upload of a commit that failed, and begins the next ones', async () => {
    const { uploads } = services.database
    const failing = mock.method(
      sqlite3.Statement.prototype,
      'all',
      function (this: unknown, _: unknown, done: (e: Error) => void) {
        done(Object.assign(new Error('SQLITE_FULL'), { code: 'SQLITE_FULL' }))
      },
    )
    const errors = await Promise.all([1, 2, 3].map(() => rejectionOf(uploads.begin(upload))))
    failing.mock.restore()
    for (const error of errors) expect(error).to.include({ code: 'DATABASE_UNAVAILABLE' })
    expect(await uploads.leftovers(new Set())).to.deep.equal([])
    expect(await uploads.begin(upload)).to.be.a('number')
  })
})

/** Statements that were handed to SQLite: each is a way to another thread and back. */
async function statementsOf(work: () => Promise<void>): Promise<{ run: number; all: number }> {
  const run = mock.method(sqlite3.Statement.prototype, 'run')
  const all = mock.method(sqlite3.Statement.prototype, 'all')
  try {
    await work()
    return { run: run.mock.callCount(), all: all.mock.callCount() }
  } finally {
    run.mock.restore()
    all.mock.restore()
  }
}
