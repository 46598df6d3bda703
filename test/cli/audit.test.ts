import { expect } from 'chai'
import { join } from 'node:path'
import sqlite3 from 'sqlite3'
import { openDatabase } from '../../src/db/database.js'
import type { UnchainedEvent } from '../../src/db/stores/audit-store.js'
import { runCli } from '../support/cli.js'
import { temporaryFolder } from '../support/services.js'

const EVENT: UnchainedEvent = {
  at: new Date(),
  type: 'file.read',
  outcome: 'ok',
  actorKind: 'user',
  actorId: 1,
  actorName: '=anna',
  address: '192.0.2.1',
  objectId: 1,
  objectName: 's2',
  requestId: 'r',
  details: '{}',
}

describe('ftpcluster audit', () => {
  let folder: string
  let remove: () => Promise<void>

  beforeEach(async () => {
    ;({ folder, remove } = await temporaryFolder())
    const database = await openDatabase({ dataDir: folder })
    const days = [1, 2, 3].map((day) => ({ ...EVENT, at: new Date(Date.UTC(2026, 0, day, 12)) }))
    await database.audit.append(days)
    await database.close()
  })
  afterEach(() => remove())

  const run = (...args: string[]) => {
    const settings = { FTPCLUSTER_DATA_DIR: folder, FTPCLUSTER_MASTER_KEY: Buffer.alloc(32, 1).toString('base64') }
    return runCli(['audit', ...args], settings)
  }

  const tamper = (sql: string) =>
    new Promise<void>((resolve, reject) => {
      const database = new sqlite3.Database(join(folder, 'ftpcluster.sqlite'))
      database.exec(`DROP TRIGGER audit_events_no_update; DROP TRIGGER audit_events_no_delete; ${sql}`, (error) =>
        database.close(() => (error ? reject(error) : resolve())),
      )
    })

  it('verify ends with 0 when everything is as it was recorded', async () => {
    expect(await run('verify')).to.deep.equal({
      code: 0,
      out: '3 events (1 to 3) are as they were recorded; 0 anchors fit.\n',
      err: '',
    })
  })

  it('verify ends with 1 and names the first wrong event', async () => {
    await tamper(`UPDATE audit_events SET actor_name = 'bert' WHERE id = 2`)
    const { code, out, err } = await run('verify')
    expect([code, out, err.trim()]).to.deep.equal([1, '', 'edited: Event 2 is not what was recorded.'])
  })

  it('verify compares an anchor from the log', async () => {
    const hash = '0'.repeat(64)
    expect((await run('verify', '--anchor', `2:${hash}`)).err).to.include('not-anchored: Event 2')
    expect((await run('verify', '--anchor', `9:${hash}`)).err).to.include('tail-cut: Events 4 to 9')
    expect((await run('verify', '--anchor', 'nonsense')).code).to.equal(2)
  })

  it('export writes CSV that no spreadsheet runs', async () => {
    const { code, out } = await run('export')
    const lines = out.trimEnd().split('\r\n')
    expect(code).to.equal(0)
    expect(lines).to.have.length(4)
    expect(lines[1]).to.equal(
      `1,2026-01-01T12:00:00.000Z,file.read,ok,user,1,"'=anna",192.0.2.1,1,s2,r,{}`.replace('\r', ''),
    )
  })

  const ranges: [args: string[], ids: number[]][] = [
    [[], [1, 2, 3]],
    [
      ['--from', '2026-01-02'],
      [2, 3],
    ],
    [
      ['--to', '2026-01-02'],
      [1, 2],
    ],
    [['--from', '2026-01-02', '--to', '2026-01-02'], [2]],
    [['--to', '2026-01-02T12:00:00Z'], [1]],
    [['--from', '2027-01-01'], []],
  ]
  for (const [args, ids] of ranges) {
    it(`export --format json ${args.join(' ')} writes ${JSON.stringify(ids)}`, async () => {
      const { out } = await run('export', '--format', 'json', ...args)
      expect((JSON.parse(out) as { id: number }[]).map(({ id }) => id)).to.deep.equal(ids)
    })
  }

  it('export refuses what is no date', async () => {
    for (const date of ['yesterday', '2026-13-01', '01/02/2026']) {
      const { code, err } = await run('export', '--from', date)
      expect([code, err]).to.satisfy(([code, err]: [number, string]) => code === 2 && err.includes('2026-01-31'))
    }
  })
})
