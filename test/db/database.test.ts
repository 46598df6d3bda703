import { chmod, mkdir, open, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import sqlite3 from 'sqlite3'
import { openDatabase, type Database } from '../../src/db/database.js'
import { DatabaseError } from '../../src/db/errors.js'
import { rejectionOf, temporaryFolder } from '../support/services.js'

const FILE = 'ftpcluster.sqlite'

function execute(file: string, sql: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const other = new sqlite3.Database(file)
    other.exec(sql, (error) => other.close(() => (error ? reject(error) : resolve())))
  })
}

describe('openDatabase', () => {
  let folder: string
  let remove: () => Promise<void>
  let opened: Database[] = []

  beforeEach(async () => ({ folder, remove } = await temporaryFolder()))
  afterEach(async () => {
    for (const database of opened) await database.close()
    opened = []
    await remove()
  })

  async function openHere(options: Partial<Parameters<typeof openDatabase>[0]> = {}): Promise<Database> {
    const database = await openDatabase({ dataDir: folder, ...options })
    opened.push(database)
    return database
  }

  /** What opening says, and that it left the file alone. */
  async function refusal(options: Partial<Parameters<typeof openDatabase>[0]> = {}): Promise<string> {
    const before = await readFile(join(folder, FILE))
    const error = await rejectionOf(openHere(options))
    expect(error).to.be.instanceOf(DatabaseError)
    expect((error as DatabaseError).code).to.equal('DATABASE_UNUSABLE')
    expect((await readFile(join(folder, FILE))).equals(before), 'the file is untouched').to.equal(true)
    return error.message
  }

  it('makes folder and files private whatever the umask', async () => {
    const umask = process.umask(0)
    try {
      const database = await openHere({ dataDir: join(folder, 'new') })
      await database.change(() => Promise.resolve())
      expect((await stat(join(folder, 'new'))).mode & 0o777).to.equal(0o700)
      const names = await readdir(join(folder, 'new'))
      expect(names).to.have.members([FILE, `${FILE}-wal`, `${FILE}-shm`])
      for (const name of names) expect((await stat(join(folder, 'new', name))).mode & 0o777, name).to.equal(0o600)
    } finally {
      process.umask(umask)
    }
  })

  it('takes back what others were given to read', async () => {
    await (await openDatabase({ dataDir: folder })).close()
    await chmod(join(folder, FILE), 0o644)
    await openHere()
    expect((await stat(join(folder, FILE))).mode & 0o777).to.equal(0o600)
  })

  it('runs the migrations once', async () => {
    const { migrated } = await openHere()
    expect(migrated[0]).to.equal('0001-initial')
    expect(migrated).to.deep.equal([...migrated].sort())
    expect((await openHere()).migrated).to.deep.equal([])
  })

  it('lets two that start together make one database', async () => {
    const both = await Promise.all([openHere(), openHere()])
    const [first, second] = both.map(({ migrated }) => migrated)
    expect([first, second]).to.deep.include([])
    expect([...(first ?? []), ...(second ?? [])]).to.include('0001-initial')
  })

  it('uses WAL, foreign keys and full synchronisation on every connection', async () => {
    const database = await openHere()
    const [modes, keys, synchronous] = await database.transaction(async (transaction) => [
      (await database.sequelize.query('PRAGMA journal_mode', { transaction }))[0],
      (await database.sequelize.query('PRAGMA foreign_keys', { transaction }))[0],
      (await database.sequelize.query('PRAGMA synchronous', { transaction }))[0],
    ])
    expect([modes, keys, synchronous].flat()).to.deep.equal([
      { journal_mode: 'wal' },
      { foreign_keys: 1 },
      { synchronous: 2 },
    ])
  })

  it('refuses a file that is no database', async () => {
    await writeFile(join(folder, FILE), 'these are not the pages of a database'.repeat(100))
    expect(await refusal()).to.include('is damaged')
  })

  it('refuses a database with a damaged page', async () => {
    await (await openDatabase({ dataDir: folder })).close()
    const handle = await open(join(folder, FILE), 'r+')
    await handle.write(Buffer.alloc(4096, 0xee), 0, 4096, 4096)
    await handle.close()
    expect(await refusal()).to.include('is damaged')
  })

  it('refuses an empty file instead of starting anew', async () => {
    await writeFile(join(folder, FILE), '')
    expect(await refusal()).to.include('is empty')
  })

  it('says so when SQLite cannot open the file', async () => {
    await mkdir(join(folder, FILE))
    expect(await rejectionOf(openHere())).to.include({ code: 'DATABASE_UNAVAILABLE' })
  })

  it('refuses a database of another program', async () => {
    await execute(join(folder, FILE), 'CREATE TABLE users (id INTEGER)')
    expect(await refusal()).to.include('was not made by FTPCluster')
  })

  it('refuses a database of a newer version', async () => {
    await (await openDatabase({ dataDir: folder })).close()
    await execute(join(folder, FILE), `INSERT INTO schema_migrations (name) VALUES ('9999-future')`)
    expect(await refusal()).to.include('newer version')
  })

  it('refuses a schema that lacks a column, and names it', async () => {
    await (await openDatabase({ dataDir: folder })).close()
    await execute(join(folder, FILE), 'ALTER TABLE users DROP COLUMN auth_version')
    expect(await refusal()).to.include('users.auth_version')
  })

  it('makes nothing when it must not', async () => {
    expect((await rejectionOf(openHere({ create: false }))).message).to.include('cannot be read')
    expect(await readdir(folder)).to.deep.equal([])
  })

  it('says that PostgreSQL is not served', async () => {
    const error = await rejectionOf(openHere({ url: 'postgres://u:secret@host/db' }))
    expect(error.message).to.include('SQLite only').and.not.include('secret')
  })

  it('answers DATABASE_BUSY, with nothing changed, while another process holds the lock', async () => {
    const database = await openHere({ busyTimeoutMs: 20 })
    const other = new sqlite3.Database(join(folder, FILE))
    const run = (sql: string) =>
      new Promise<void>((resolve, reject) => other.exec(sql, (error) => (error ? reject(error) : resolve())))
    try {
      await run('BEGIN EXCLUSIVE')
      const change = database.change((transaction) =>
        database.models.Setting.create({ name: 'a', value: 'b' }, { transaction }),
      )
      const upload = { permissionId: 1, serverId: 1, temporary: '/t', target: '/f', startedAt: 1 }
      const errors = await Promise.all([rejectionOf(change), rejectionOf(database.uploads.begin(upload))])
      for (const error of errors) expect(error).to.include({ code: 'DATABASE_BUSY', retryAfterSeconds: 2 })
      expect(await database.models.Setting.count(), 'reads are served').to.equal(0)
      await run('ROLLBACK')
      await database.uploads.begin(upload)
      await database.change(() => Promise.resolve())
    } finally {
      await new Promise((resolve) => other.close(resolve))
    }
  })

  it('commits what is written after it met a lock, whatever statement that was', async () => {
    const database = await openHere({ busyTimeoutMs: 20 })
    const other = new sqlite3.Database(join(folder, FILE))
    const run = (sql: string) =>
      new Promise<void>((resolve, reject) => other.exec(sql, (error) => (error ? reject(error) : resolve())))
    const inJournal = () =>
      new Promise<number>((resolve, reject) =>
        other.all('SELECT id FROM upload_journal', (error, rows) => (error ? reject(error) : resolve(rows.length))),
      )
    const upload = { permissionId: 1, serverId: 1, temporary: '/t', target: '/f', startedAt: 1 }
    try {
      await run('BEGIN EXCLUSIVE')
      expect(await rejectionOf(database.write())).to.include({ code: 'DATABASE_BUSY' })
      await run('ROLLBACK')
      await database.uploads.begin(upload)
      expect(await inJournal(), 'for another connection').to.equal(1)
      await database.change(() => Promise.resolve())
      await database.write()
      expect(await inJournal(), 'after the statement that had failed').to.equal(1)
    } finally {
      await new Promise((resolve) => other.close(resolve))
    }
  })

  it('lets those in line wait for the lock of another process together, not one after the other', async () => {
    const busyTimeoutMs = 200
    const database = await openHere({ busyTimeoutMs })
    const other = new sqlite3.Database(join(folder, FILE))
    try {
      await new Promise((resolve) => other.exec('BEGIN EXCLUSIVE', resolve))
      const started = performance.now()
      const errors = await Promise.all(Array.from({ length: 20 }, () => rejectionOf(database.write())))
      for (const error of errors) expect(error).to.include({ code: 'DATABASE_BUSY' })
      expect(performance.now() - started).to.be.below((20 * busyTimeoutMs) / 2)
    } finally {
      await new Promise((resolve) => other.close(resolve))
    }
    await database.write()
  })

  it('keeps audit events from being changed or deleted', async () => {
    const database = await openHere()
    const event = { at: new Date(), type: 'user.created', actorKind: 'cli', actorId: null, actorName: 'x' }
    const row = await database.models.AuditEvent.create({
      ...event,
      address: null,
      objectId: 1,
      objectName: 'x',
      details: '{}',
      outcome: 'ok',
      requestId: null,
      prevHash: '0',
      hash: '1',
    })
    await rejectionOf(row.update({ actorName: 'y' }))
    await rejectionOf(row.destroy())
    expect((await database.models.AuditEvent.findAll()).map(({ actorName }) => actorName)).to.deep.equal(['x'])
  })
})
