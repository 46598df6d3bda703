import { expect } from 'chai'
import { eventually, temporaryFilesIn } from '../support/upload.js'
import { measured } from './lab/figures.js'
import { FULL } from './lab/full.js'
import type { Fault } from './lab/injection.js'
import { Rig, type Station } from './lab/rig.js'
import { assertListed, SCENARIOS, steppedAside, type Scenario } from './lab/scenarios.js'

const FAULTS: Readonly<Record<string, Fault>> = {
  dropped: { at: 'before', action: { kind: 'stall' } },
  'refused with 450': { at: 'before', action: { kind: 'answer', reply: '450 not now', status: 4 } },
  'refused with 550': { at: 'before', action: { kind: 'answer', reply: '550 no', status: 3 } },
  reset: { at: 'before', action: { kind: 'reset' } },
  'reset when it was done': { at: 'end', action: { kind: 'reset' } },
  'stalled when it was done': { at: 'end', action: { kind: 'stall' } },
}

/** Longer than the deadlines of this file. The server does it when nobody waits for it any more. */
const LATE: Fault = { at: 'before', action: { kind: 'late', ms: 1_500 } }

/** What a request may be answered when a server fails it, by section 2.2 of the status rules; never 500, never nothing. */
const DOCUMENTED = new Set<unknown>([200, 201, 204, 207, 403, 404, 409, 501, 502, 503, 504, 507])

/** The cases of one server are dealt out to these logins: most of the time is spent waiting for deadlines. */
const LOGINS = ['alice', 'bob', 'shared1', 'eve'] as const
const SERVERS = ['proftpd', 'vsftpd', 'pure-ftpd', 'sshd'] as const
/** Its old files have to step aside for new ones. */
const SWAPPING = { kind: 'proftpd', settings: ['AllowOverwrite off'] } as const
const NAMES = [...SERVERS, 'proftpd without overwriting']

describe('when the n-th command to a server fails, for every n', function () {
  this.timeout(600_000)
  let rig: Rig
  let cases = 0

  before(async function () {
    rig = await Rig.start(this, {
      daemons: [...SERVERS, SWAPPING],
      logins: LOGINS,
      env: {
        // Everything is asked of the server, and little time passes until a silence counts.
        FTPCLUSTER_CACHE_TTL: '0s',
        FTPCLUSTER_DEADLINES_METADATA: '600ms',
        FTPCLUSTER_DEADLINES_FIRST_BYTE: '600ms',
        FTPCLUSTER_DEADLINES_STALL: '600ms',
        FTPCLUSTER_DEADLINES_WAIT: '5s',
        FTPCLUSTER_UPLOADS_SWEEP_EVERY: '10s',
      },
    })
  })

  after(async () => {
    await rig?.stop()
    process.stdout.write(`    ${cases} cases\n`)
  })

  for (const scenario of SCENARIOS) {
    const names = NAMES.filter((_, turn) => scenario.swaps !== 'only' || turn >= SERVERS.length)
    measured(`${scenario.name} keeps every promise on ${names.join(', ')}`, async (notes) => {
      const results = await Promise.all(
        rig.lab.daemons.flatMap((daemon, turn) => {
          const lanes = rig.stations.filter((station) => station.daemon === daemon)
          return names.includes(NAMES[turn] ?? '') ? [everyCommand(lanes, scenario, turn)] : []
        }),
      )
      expect(results.flatMap(({ violations }) => violations)).to.deep.equal([])
      for (const { count } of results) expect(count).to.be.greaterThan(6)
      const sum = results.reduce((total, { count }) => total + count, 0)
      cases += sum
      notes.say(`${sum} cases${FULL ? '' : ' of a part'}, 0 violations`)
    })
  }

  it('no temporary file stays', async () => {
    for (const { home, alias } of rig.stations) {
      await eventually(`no temporary file on ${alias}`, 60, async () => (await temporaryFilesIn(home)).length === 0)
    }
    expect(rig.gateway.log).to.not.match(/unhandled|uncaught/i)
  })
})

/** Of a conversation with no more commands, each meets three of the six faults; of a longer one, one; all with FULL. */
const SHORT = 20

interface Case {
  readonly name: string
  readonly fault: Fault
  readonly n: number
}

/** All cases of one scenario on one server; a violation is told with its case, and the rest goes on. */
async function everyCommand(lanes: readonly Station[], scenario: Scenario, turn: number) {
  const [first] = lanes
  if (first === undefined) throw new Error('a server needs a login')
  await warm(first, scenario)
  first.commands.arm()
  const flawless = await scenario.act(first)
  expect(flawless.status, `${first.alias}, with nothing wrong`).to.be.oneOf([201, 204, 207])
  const { seen } = first.commands
  if (turn === SERVERS.length && scenario.swaps !== undefined) {
    expect(steppedAside(seen), `${scenario.name}: the old file steps aside on ${first.alias}`).to.equal(true)
  }
  const cases = Object.entries(FAULTS)
    .flatMap(([name, fault], kind) => seen.map((_, i): Case & { kind: number } => ({ name, fault, n: i + 1, kind })))
    .filter(({ n, kind }) => FULL || (n + kind + turn) % (seen.length <= SHORT ? 2 : 6) === 0)
  if (first.kind !== 'sshd') {
    const renames = seen.flatMap((line, i) => (line.startsWith('RNTO ') ? [i + 1] : []))
    for (const n of renames) cases.push({ name: 'executed late', fault: LATE, n, kind: -1 })
  }
  const count = cases.length
  const violations: string[] = []
  const work = async (station: Station): Promise<void> => {
    for (let next = cases.shift(); next !== undefined; next = cases.shift()) {
      const violation = await oneCase(station, scenario, next)
      if (violation !== undefined) violations.push(violation)
    }
  }
  await Promise.all(lanes.map(work))
  return { count, violations }
}

async function oneCase(station: Station, scenario: Scenario, { name, fault, n }: Case): Promise<string | undefined> {
  const { commands } = station
  await warm(station, scenario)
  commands.arm(({ index }) => (index === n ? fault : undefined))
  const answer = await scenario.act(station)
  const seen = [...commands.seen]
  await Promise.all(commands.late)
  commands.disarm()
  try {
    expect(DOCUMENTED.has(answer.status), 'a documented status').to.equal(true)
    await scenario.verify(station, answer, seen)
    await assertListed(station)
    return undefined
  } catch (error) {
    const what = `${station.alias}: command ${n} (${seen[n - 1]}) ${name}, answered ${answer.status}`
    return `${what}: ${(error as Error).message}`
  }
}

/** The scenario's files, and a connection that has served before. */
async function warm(station: Station, scenario: Scenario): Promise<void> {
  await scenario.prepare(station)
  // A login that met a fault is not tried again at once.
  await eventually(`${station.alias} serves`, 20, async () => {
    return (await station.ask('PROPFIND', '', { headers: { Depth: '1' } })).status === 207
  })
}
