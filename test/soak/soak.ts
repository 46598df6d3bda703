import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { PROBE } from '../faults/lab/holdings.js'
import { Rig } from '../faults/lab/rig.js'
import { eventually } from '../support/upload.js'
import { Judge } from './judge.js'
import { Leaks } from './leaks.js'
import { Load, LOGINS, USERS } from './load.js'
import { randomFrom } from './random.js'
import { Strain } from './strain.js'
import { Tally } from './tally.js'
import { DEADLINE, Troubles } from './troubles.js'

export interface SoakOptions {
  readonly minutes: number
  /** Most requests a second; fewer where that would be more than a third of what the machine can do. */
  readonly rate: number
  /** Seconds between faults. */
  readonly faultEvery: number
  readonly seed: number
  readonly context?: Mocha.Context
}

export interface SoakResult {
  readonly report: string
  readonly violations: readonly string[]
}

/** What the gateway logged in the last run. */
const LOG = path.join(import.meta.dirname, '../../.lab/soak.log')
const SAMPLE_EVERY = 10_000
const WARM_UP = 5_000
const WARM_UP_WORKERS = 4
/** Part of what was measured in the warm-up. */
const LOAD = 0.33
/** After this part of the time comes a pause, and from then on the gateway itself is killed now and then. */
const KILLS_FROM = 0.8

/** Section 7 of the reliability notes: load, faults, and a judge who believes nobody. */
export async function soak(options: SoakOptions): Promise<SoakResult> {
  const rig = await Rig.start(options.context, {
    daemons: ['proftpd', 'vsftpd', 'pure-ftpd', 'sshd'],
    logins: LOGINS,
    users: USERS,
    env: {
      NODE_OPTIONS: PROBE,
      // What is judged here is what becomes of files, on machines that may be busy: bounds in time have tests of their own.
      FTPCLUSTER_DEADLINES_CONNECT: `${DEADLINE}ms`,
      FTPCLUSTER_DEADLINES_METADATA: `${DEADLINE}ms`,
      FTPCLUSTER_DEADLINES_FIRST_BYTE: `${DEADLINE}ms`,
      FTPCLUSTER_DEADLINES_STALL: `${DEADLINE}ms`,
      FTPCLUSTER_DEADLINES_WAIT: `${DEADLINE}ms`,
      FTPCLUSTER_DEADLINES_CLIENT_IDLE: '60s',
      FTPCLUSTER_DEADLINES_SEND_STALL: '60s',
      FTPCLUSTER_TIMEOUTS_HEADERS: '15s',
      FTPCLUSTER_POOL_IDLE: '5s',
      FTPCLUSTER_CACHE_FILES: '16MiB',
      FTPCLUSTER_UPLOADS_SWEEP_EVERY: '10s',
    },
  })
  const strain = new Strain(rig.gateway)
  try {
    return await run(rig, strain, options)
  } finally {
    strain.stop()
    await writeFile(LOG, rig.gateway.log)
    await rig.stop()
  }
}

async function run(rig: Rig, strain: Strain, options: SoakOptions): Promise<SoakResult> {
  const { minutes, faultEvery, seed } = options
  const tally = new Tally()
  const troubles = new Troubles(rig, randomFrom(seed, 'troubles'))
  const judge = new Judge(tally, troubles, strain)
  const load = new Load(rig, judge, troubles, seed)
  const rate = await warmUp(load, options.rate)
  const leaks = await Leaks.from(rig)

  const storm = { rig, judge, load, troubles, rate, faultEvery }
  const whole = await rage(storm, minutes * 60_000 * KILLS_FROM, (at) => leaks.sample(at))
  // A process that was just started has leaked nothing: what is held is judged before the first kill.
  const { violations: leaked, report: held } = await leaks.judge()
  troubles.gatewayToo = true
  const killed = await rage(storm, minutes * 60_000 * (1 - KILLS_FROM))
  const judged = await load.finish()
  const violations = [
    ...judge.violations,
    ...tally.unexpected,
    ...tally.tooStarved(),
    ...leaked,
    ...(await leaks.leftBehind()),
    ...leaks.logged(),
  ]
  const report = [
    tally.table(),
    '',
    `${tally.requests} requests in ${Math.round((whole + killed) / 1000)} s at ${rate.toFixed(1)}/s, at most ${load.mostUnderWay} under way` +
      (load.letGo === 0 ? '' : `; ${load.letGo} not sent, so many were under way`),
    judged,
    `${troubles.past.length} faults: ${summary(troubles.past.map(({ name }) => name))}`,
    ...held,
    `the gateway waited ${Math.round(strain.total / 1000)} s for a processor, which excuses ${tally.total('machine')} answers`,
    `seed ${seed}`,
    violations.length === 0 ? 'no violation' : `${violations.length} VIOLATIONS\n${violations.slice(0, 60).join('\n')}`,
  ].join('\n')
  return { report, violations }
}

interface Storm {
  readonly rig: Rig
  readonly judge: Judge
  readonly load: Load
  readonly troubles: Troubles
  readonly rate: number
  readonly faultEvery: number
}

/**
 * Load and faults for a time, until nothing is under way any more and every server serves again.
 *
 * @param sample called now and then, with the ms since the load began
 * @returns ms from the first request to the end of the last
 */
async function rage(storm: Storm, ms: number, sample?: (at: number) => Promise<void>): Promise<number> {
  const { rig, judge, load, troubles, rate } = storm
  const faultEvery = Math.min(storm.faultEvery * 1000, ms / 2)
  const started = performance.now()
  const pending = new Set<Promise<void>>()
  let nextFault = started + faultEvery
  let nextSample = started + SAMPLE_EVERY
  let sampling = Promise.resolve()
  for (let due = started; due < started + ms; due += 1000 / rate) {
    const early = due - performance.now()
    if (early > 0) await delay(early)
    const request = load.request(due).finally(() => pending.delete(request))
    pending.add(request)
    const now = performance.now()
    if (now > nextFault) {
      troubles.next()
      nextFault += faultEvery
    }
    if (sample !== undefined && now > nextSample) {
      nextSample += SAMPLE_EVERY
      sampling = sampling
        .then(() => sample(now - started))
        .catch((error: unknown) => judge.violation(`it does not tell what it holds: ${String(error)}`))
    }
  }
  await Promise.all([troubles.over(), sampling, ...pending])
  const took = performance.now() - started
  // Breakers and logins that failed come round in their own time.
  for (const station of rig.stations) {
    await eventually(`${station.alias} serves again`, 60, async () => {
      const answer = await judge.ask({ user: load.userOf(station), station }, 'PROPFIND', '', {
        headers: { Depth: '1' },
      })
      return answer.status === 207
    })
  }
  return took
}

/** Everybody logs in and every server is met once, then a measure of what this machine can do. @returns requests a second */
async function warmUp(load: Load, most: number): Promise<number> {
  await load.meetEverybody()
  const until = performance.now() + WARM_UP
  let done = 0
  const worker = async (): Promise<void> => {
    for (; performance.now() < until; done++) await load.request(performance.now())
  }
  await Promise.all(Array.from({ length: WARM_UP_WORKERS }, worker))
  return Math.max(1, Math.min(most, (done / WARM_UP) * 1000 * LOAD))
}

/** How often each kind of fault was, whatever server it met. */
function summary(names: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const name of names) {
    const kind = name.replace(/^[^:]*: /, '').replace(/ for [\d.]+ s$/, '')
    counts.set(kind, (counts.get(kind) ?? 0) + 1)
  }
  return [...counts].map(([kind, count]) => `${kind} ${count}`).join(', ')
}
