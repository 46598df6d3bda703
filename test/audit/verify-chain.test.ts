import { expect } from 'chai'
import sqlite3 from 'sqlite3'
import { AuditKeeper } from '../../src/audit/audit-keeper.js'
import { AuditLog } from '../../src/audit/audit-log.js'
import { AuditSeal } from '../../src/audit/audit-seal.js'
import { eventHash, GENESIS } from '../../src/db/audit-chain.js'
import { SecretCipher } from '../../src/db/secret-cipher.js'
import { actor, openTestServices, rejectionOf, type TestServices } from '../support/services.js'

const DAY = 24 * 3_600_000

describe('the chain of audit events', () => {
  let services: TestServices
  let audit: AuditLog
  let keeper: AuditKeeper
  let now: number
  let logged: object[]

  beforeEach(async () => {
    services = await openTestServices()
    const seal = new AuditSeal(services.cipher)
    audit = new AuditLog(services.database, seal)
    logged = []
    const log = { info: (line: object) => void logged.push(line), warn: failing, error: failing }
    now = Date.now()
    keeper = new AuditKeeper({ store: services.database.audit, seal, log, retention: 0, now: () => now })
  })
  afterEach(() => services.close())

  const failing = (_: object, message?: string) => {
    throw new Error(message)
  }

  async function record(count: number): Promise<void> {
    await services.database.transaction(async (transaction) => {
      for (let index = 0; index < count; index++) {
        const object = { id: 1, name: `user${index}` }
        await audit.record({ type: 'user.disabled', object, details: {} }, actor, transaction)
      }
    })
  }

  /** As somebody who has the database file and knows SQLite. */
  function tamper(...statements: string[]): Promise<void> {
    const off = [
      'audit_events_no_update',
      'audit_events_no_delete',
      'audit_anchors_no_update',
      'audit_anchors_no_delete',
    ]
    const sql = [...off.map((name) => `DROP TRIGGER ${name}`), ...statements].join(';')
    return execute(services.database.file, sql)
  }

  it('hashes an event as every version before', () => {
    const at = new Date('2026-01-02T03:04:05.678Z')
    const who = { actorKind: 'user', actorId: 3, actorName: 'änne \u{1f600}', address: null, requestId: 'r' }
    const object = { objectId: 5, objectName: 'nas', details: '{"path":"/nas/\\"a"}' }
    const hash = eventHash(GENESIS, 7, { at, type: 'file.written', outcome: 'ok', ...who, ...object })
    expect(hash).to.equal('f393f7aeb248c057aaf3835abe1a75e05875deeb768fe08ab1146c057d4d7e70')
  })

  it('is whole when nobody touched it, and says how far it was compared', async () => {
    expect(await audit.verify()).to.deep.equal({ ok: true, events: 0, first: 0, last: 0, anchors: 0 })
    await record(3)
    await keeper.keep()
    await services.database.audit.append([{ ...(await template()), type: 'file.read' }])
    expect(await audit.verify()).to.deep.equal({ ok: true, events: 4, first: 1, last: 4, anchors: 1 })
  })

  it('chains what services record and what the queue writes, on two connections at once', async () => {
    await record(1)
    const event = await template()
    await Promise.all([record(5), services.database.audit.append([event, event]), record(5)])
    expect(await audit.verify()).to.include({ ok: true, last: 13 })
  })

  it('is refused every change by the database', async () => {
    await record(2)
    await keeper.keep()
    const { file } = services.database
    const refused = [
      `UPDATE audit_events SET actor_name = 'x' WHERE id = 1`,
      'DELETE FROM audit_events WHERE id = 2',
      'DELETE FROM audit_events WHERE id = 1',
      `INSERT OR REPLACE INTO audit_events SELECT * FROM audit_events WHERE id = 1`,
      `UPDATE audit_anchors SET hash = '0'`,
      'DELETE FROM audit_anchors',
    ]
    for (const sql of refused) expect((await rejectionOf(execute(file, sql))).message, sql).to.include('append-only')
  })

  const crimes: [what: string, sql: string[], event: number, problem: string][] = [
    ['edited', [`UPDATE audit_events SET actor_name = 'innocent' WHERE id = 3`], 3, 'edited'],
    ['given other details', [`UPDATE audit_events SET details = '{"x":1}' WHERE id = 5`], 5, 'edited'],
    ['given another time', [`UPDATE audit_events SET at = '2020-01-01 00:00:00.000 +00:00' WHERE id = 2`], 2, 'edited'],
    ['given a time that is none', [`UPDATE audit_events SET at = 'yesterday' WHERE id = 2`], 2, 'edited'],
    ['deleted', ['DELETE FROM audit_events WHERE id = 3'], 3, 'deleted'],
    ['deleted at the beginning', ['DELETE FROM audit_events WHERE id < 3'], 1, 'deleted'],
    ['deleted at the end', ['DELETE FROM audit_events WHERE id > 4'], 5, 'tail-cut'],
    [
      'deleted at the end, with the memory of SQLite',
      ['DELETE FROM audit_events WHERE id > 4', `UPDATE sqlite_sequence SET seq = 4 WHERE name = 'audit_events'`],
      5,
      'tail-cut',
    ],
    [
      'put in another order',
      [
        'UPDATE audit_events SET id = 99 WHERE id = 2',
        'UPDATE audit_events SET id = 2 WHERE id = 3',
        'UPDATE audit_events SET id = 3 WHERE id = 99',
      ],
      2,
      'edited',
    ],
    ['all gone', ['DELETE FROM audit_events'], 1, 'tail-cut'],
    [
      'cut as the retention does, without the key',
      [
        `INSERT INTO audit_anchors (kind, event_id, hash, at, key_id, mac)
           SELECT 'cut', event_id, hash, at, key_id, mac FROM audit_anchors`,
        'DELETE FROM audit_events WHERE id < 6',
      ],
      6,
      'forged-anchor',
    ],
  ]
  for (const [what, sql, event, problem] of crimes) {
    it(`shows that events were ${what}, and names the first one`, async () => {
      await record(6)
      await keeper.keep()
      await tamper(...sql)
      expect(await audit.verify()).to.include({ ok: false, event, problem })
    })
  }

  it('shows by its anchors that it was made anew', async () => {
    await record(6)
    await keeper.keep()
    const rows = await services.database.audit.after(0, 10)
    let previous = '0'.repeat(64)
    const statements = rows.map((row) => {
      const forged = { ...row, actorName: row.id === 4 ? 'innocent' : row.actorName }
      const hash = eventHash(previous, forged.id, forged)
      const sql = `UPDATE audit_events SET actor_name = '${forged.actorName}', prev_hash = '${previous}', hash = '${hash}' WHERE id = ${row.id}`
      previous = hash
      return sql
    })
    await tamper(...statements)
    expect(await audit.verify()).to.include({ ok: false, event: 6, problem: 'not-anchored' })
    await execute(services.database.file, 'DELETE FROM audit_anchors')
    expect(await audit.verify(), 'the anchor is gone too').to.include({ ok: true })
    const [kept] = logged as { event: number; hash: string }[]
    expect(await audit.verify(kept ? [kept] : []), 'the log still has it').to.include({ ok: false, event: 6 })
  })

  it('is anchored at once, then every 1000 events or every hour, and at the end', async () => {
    const anchors = async () => (await services.database.audit.anchors()).map(({ eventId }) => eventId)
    await record(1)
    await keeper.keep()
    await record(1)
    await keeper.keep()
    expect(await anchors()).to.deep.equal([1])
    now += 3_600_000
    await keeper.keep()
    expect(await anchors()).to.deep.equal([1, 2])
    const event = await template()
    await services.database.audit.append(Array.from({ length: 1000 }, () => event))
    await keeper.keep()
    await keeper.keep()
    expect(await anchors()).to.deep.equal([1, 2, 1002])
    await record(1)
    await keeper.stop()
    await keeper.stop()
    expect(await anchors()).to.deep.equal([1, 2, 1002, 1003])
    expect(logged).to.have.length(4)
    expect(JSON.stringify(logged)).to.include('mac')
  })

  it('keeps its old anchors when the master key was replaced, and tells when the old key is gone', async () => {
    await record(2)
    await keeper.keep()
    const [older, newer] = [Buffer.alloc(32, 7), Buffer.alloc(32, 8)]
    const both = new AuditLog(services.database, new AuditSeal(new SecretCipher([newer, older])))
    expect(await both.verify()).to.include({ ok: true, anchors: 1 })
    const alone = new AuditLog(services.database, new AuditSeal(new SecretCipher([newer])))
    expect(await alone.verify()).to.include({ ok: false, problem: 'forged-anchor' })
  })

  describe('cut by the retention', () => {
    const retain = (days: number) => {
      const log = { info: (line: object) => void logged.push(line), warn: failing, error: failing }
      const seal = new AuditSeal(services.cipher)
      return new AuditKeeper({ store: services.database.audit, seal, log, retention: days * DAY, now: () => now })
    }

    it('begins where it was cut, tells so, and can be verified', async () => {
      await record(4)
      await keeper.keep()
      now += 2 * DAY
      await record(3)
      await keeper.keep()
      now += 9 * DAY
      await retain(10).keep()
      const left = await audit.list()
      expect(left.map(({ id, type }) => [id, type])).to.deep.equal([
        [8, 'audit.cut'],
        [7, 'user.disabled'],
        [6, 'user.disabled'],
        [5, 'user.disabled'],
      ])
      expect(left[0]?.details).to.deep.equal({ through: 4, events: 4 })
      expect(await audit.verify()).to.include({ ok: true, first: 5, last: 8 })
    })

    it('is not cut again for the same anchor', async () => {
      await record(4)
      await keeper.keep()
      now += 11 * DAY
      const cutting = retain(10)
      await cutting.keep()
      now += 3_600_000
      await cutting.keep()
      expect((await audit.search({ type: 'audit.' })).items).to.have.length(1)
      expect(await audit.verify()).to.include({ ok: true, first: 5 })
    })

    it('is never empty, and goes on', async () => {
      await record(2)
      await keeper.keep()
      now += 20 * DAY
      await retain(10).keep()
      await record(1)
      expect((await audit.list()).map(({ id }) => id)).to.deep.equal([4, 3])
      expect(await audit.verify()).to.include({ ok: true, events: 2 })
    })

    it('shows what was cut without it', async () => {
      await record(4)
      await keeper.keep()
      now += 11 * DAY
      await retain(10).keep()
      await record(2)
      await tamper('DELETE FROM audit_events WHERE id <= 6')
      expect(await audit.verify()).to.include({ ok: false, event: 5, problem: 'deleted' })
    })

    it('leaves what is younger to the trigger', async () => {
      await record(4)
      await keeper.keep()
      now += 11 * DAY
      await retain(10).keep()
      expect((await rejectionOf(execute(services.database.file, 'DELETE FROM audit_events'))).message).to.include(
        'append-only',
      )
    })
  })

  async function template() {
    if ((await audit.list(1)).length === 0) await record(1)
    const [row] = await services.database.audit.after(0, 1)
    if (!row) throw new Error('there is no event')
    return row
  }
})

function execute(file: string, sql: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const database = new sqlite3.Database(file, (opening) => {
      if (opening) reject(opening)
      database.exec(sql, (error) => database.close(() => (error ? reject(error) : resolve())))
    })
  })
}
