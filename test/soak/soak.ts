import { setTimeout as delay } from 'node:timers/promises'
import { holdingsOf, PROBE, type Holdings } from '../faults/lab/holdings.js'
import { Rig } from '../faults/lab/rig.js'
import { eventually, temporaryFilesIn } from '../support/upload.js'
import { Load, USERS } from './load.js'
import { Tally } from './tally.js'
import { Troubles } from './troubles.js'

export interface SoakOptions {
  readonly minutes: number
  /** Requests a second. */
  readonly rate: number
  /** Seconds between faults. */
  readonly faultEvery: number
  readonly context?: Mocha.Context
  readonly random?: () => number
}

export interface SoakResult {
  readonly report: string
  readonly violations: readonly string[]
}

const SAMPLE_EVERY = 10_000

/** Section 7 of the reliability notes: load, faults, and a judge who believes nobody. */
export async function soak(options: SoakOptions): Promise<SoakResult> {
  const { minutes, rate, faultEvery, context, random = Math.random } = options
  const rig = await Rig.start(context, {
    daemons: ['proftpd', 'vsftpd', 'pure-ftpd', 'sshd'],
    logins: ['alice', 'bob', 'shared1', 'eve'],
    users: USERS,
    env: {
      NODE_OPTIONS: PROBE,
      FTPCLUSTER_DEADLINES_CONNECT: '5s',
      FTPCLUSTER_DEADLINES_METADATA: '5s',
      FTPCLUSTER_DEADLINES_FIRST_BYTE: '5s',
      FTPCLUSTER_DEADLINES_STALL: '5s',
      FTPCLUSTER_DEADLINES_WAIT: '5s',
      FTPCLUSTER_POOL_IDLE: '5s',
      FTPCLUSTER_UPLOADS_SWEEP_EVERY: '10s',
    },
  })
  try {
    return await run(rig, { minutes, rate, faultEvery }, random)
  } finally {
    await rig.stop()
  }
}

async function run(
  rig: Rig,
  { minutes, rate, faultEvery }: Pick<SoakOptions, 'minutes' | 'rate' | 'faultEvery'>,
  random: () => number,
): Promise<SoakResult> {
  const tally = new Tally()
  const troubles = new Troubles(rig, random)
  const load = new Load(rig, tally, troubles, random)
  const samples: (Holdings & { readonly at: number })[] = []
  const baseline = await holdingsAtRest(rig)

  const started = performance.now()
  const until = started + minutes * 60_000
  const pending = new Set<Promise<void>>()
  let nextFault = started + faultEvery * 1000
  let nextSample = started + SAMPLE_EVERY
  for (let due = started; due < until; due += 1000 / rate) {
    const early = due - performance.now()
    if (early > 0) await delay(early)
    const request = load.request(due).finally(() => pending.delete(request))
    pending.add(request)
    if (performance.now() > nextFault) {
      troubles.next()
      nextFault += faultEvery * 1000
    }
    if (performance.now() > nextSample) {
      samples.push({ ...(await holdingsOf(rig.gateway)), at: performance.now() - started })
      nextSample += SAMPLE_EVERY
    }
  }
  await troubles.over()
  await Promise.all(pending)
  const seconds = (performance.now() - started) / 1000
  // Breakers and logins that failed come round in their own time.
  for (const { alias } of rig.stations) {
    await eventually(`${alias} serves again`, 60, async () => {
      const user = rig.stations.findIndex((station) => station.alias === alias) % 4
      return (await load.probe(user, alias)) === 207
    })
  }
  await load.finish()
  const violations = [...load.violations, ...tally.unexpected]
  violations.push(...(await leaks(rig, baseline, samples, minutes)))

  let reads = 0
  let writes = 0
  for (const history of load.histories.values()) {
    reads += history.reads.length
    writes += history.writes.length
  }
  const report = [
    tally.table(),
    '',
    `${tally.requests} requests in ${Math.round(seconds)} s at ${rate}/s, at most ${load.mostUnderWay} under way`,
    `${writes} versions written and ${reads} reads judged on ${load.histories.size} files`,
    `${troubles.past.length} faults: ${troubles.past.map(({ name }) => name).join('; ')}`,
    ...samples.slice(-1).map((s) => `last sample: ${s.fds} fds, ${s.timers} timers, ${mb(s.heapUsed)} heap`),
    `at rest: ${baseline.fds} fds, ${baseline.timers} timers, ${mb(baseline.heapUsed)} heap before`,
    violations.length === 0 ? 'no violation' : `${violations.length} VIOLATIONS\n${violations.slice(0, 40).join('\n')}`,
  ].join('\n')
  return { report, violations }
}

/** With no connection to any server. */
async function holdingsAtRest(rig: Rig): Promise<Holdings> {
  await eventually('no connection to a server', 60, () =>
    Promise.resolve(rig.stations.every(({ proxy }) => proxy.controls === 0)),
  )
  return holdingsOf(rig.gateway)
}

async function leaks(
  rig: Rig,
  before: Holdings,
  samples: readonly (Holdings & { readonly at: number })[],
  minutes: number,
): Promise<string[]> {
  const found: string[] = []
  let after = await holdingsAtRest(rig)
  const back = () =>
    after.fds <= before.fds + 5 && after.timers <= before.timers + 5 && after.sockets <= before.sockets + 5
  for (let waited = 0; !back() && waited < 60; waited++) {
    await delay(1000)
    after = await holdingsAtRest(rig)
  }
  if (!back()) found.push(`leak: ${JSON.stringify(before)} before, ${JSON.stringify(after)} a minute after the load`)
  const later = samples.filter(({ at }) => at > (minutes * 60_000) / 3)
  if (minutes >= 10) {
    const perTenMinutes = slope(later.map(({ at, heapUsed }) => [at, heapUsed])) * 600_000
    if (perTenMinutes > 1024 * 1024) found.push(`leak: the heap grows by ${mb(perTenMinutes)} in ten minutes`)
  } else if (after.heapUsed - before.heapUsed > 25 * 1024 * 1024) {
    found.push(`leak: the heap grew from ${mb(before.heapUsed)} to ${mb(after.heapUsed)}`)
  }
  for (const { alias, home } of rig.stations) {
    await eventually('no temporary file', 60, async () => (await temporaryFilesIn(home)).length === 0).catch(async () =>
      found.push(`${alias} keeps ${(await temporaryFilesIn(home)).join(', ')}`),
    )
  }
  for (const line of rig.gateway.log.split('\n')) {
    if (/"level":(50|60)|MaxListenersExceeded/.test(line)) found.push(`log: ${line.slice(0, 300)}`)
    if (/-secret/.test(line)) found.push('log: a password')
  }
  return found
}

/** Of the line through the points, least squares. */
function slope(points: readonly (readonly [number, number])[]): number {
  const n = points.length
  if (n < 2) return 0
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / n
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / n
  const over = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0)
  const under = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0)
  return over / under
}

function mb(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`
}
