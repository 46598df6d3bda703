/**
 * Measures the gateway side by side with `rclone serve webdav` over the servers of the test lab: `npm run bench`.
 * README.md tells what the options are.
 */
import { writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { prepareData } from './data.js'
import type { Drive } from './drive.js'
import { cpuSeconds, forgetPeak, peakMemory } from './processes.js'
import { memoryLine, memoryOf, rowOf, tableOf, type Measured, type Round, type Row } from './report.js'
import { QUICK, WHOLE, type Scale } from './scale.js'
import { nameOf, startStage, type Place, type Server, type Stage } from './stage.js'
import type { Turn, Workload } from './workload.js'
import { allWorkloads } from './workloads.js'

const PLACES: readonly Place[] = [
  { kind: 'sshd' },
  { kind: 'proftpd' },
  { kind: 'vsftpd' },
  { kind: 'pure-ftpd' },
  { kind: 'proftpd-ftps' },
  { kind: 'sshd', roundTrip: 10 },
  { kind: 'vsftpd', roundTrip: 10 },
]

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true, default: [] },
    server: { type: 'string', multiple: true, default: [] },
    rounds: { type: 'string' },
    json: { type: 'string' },
    profile: { type: 'string' },
    list: { type: 'boolean', default: false },
  },
})

const scale: Scale = {
  ...(options.quick ? QUICK : WHOLE),
  ...(options.rounds ? { rounds: Number(options.rounds) } : {}),
}
const chosen = (names: readonly string[], name: string): boolean =>
  names.length === 0 ||
  names.flatMap((text) => text.split(',')).some((wanted) => new RegExp(`^${wanted.replaceAll('*', '.*')}$`).test(name))
const workloads = allWorkloads(scale).filter(({ name }) => chosen(options.only, name))
const places = PLACES.filter((place) =>
  options.quick && options.server.length === 0
    ? place.kind === 'sshd' || place.kind === 'vsftpd'
    : chosen(options.server, nameOf(place)),
)
if (options.list) {
  console.log(`Workloads: ${workloads.map(({ name }) => name).join(' ')}\nServers: ${PLACES.map(nameOf).join(' ')}`)
  process.exit(0)
}
if (workloads.length === 0 || places.length === 0) {
  console.error('Nothing of that name: --list shows what there is.')
  process.exit(2)
}

const started = performance.now()
const machine = `${cpus().length} x ${cpus()[0]?.model}, Node ${process.version}`
const say = (text: string): void =>
  console.error(`${((performance.now() - started) / 1000).toFixed(0).padStart(5)} s  ${text}`)
const profiling = options.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${options.profile}`]
const stage = await startStage(places, profiling)
const rows: Row[] = []
let failed = false
const end = () => void stage.stop().finally(() => process.exit(130))
process.once('SIGINT', end)
process.once('SIGTERM', end)
try {
  say('preparing the data')
  await prepareData(stage.servers, scale, new Set(workloads.flatMap(({ needs = [] }) => needs)))
  for (const drive of [stage.ftpcluster, stage.rclone]) forgetPeak(drive.pid)
  const peaks = { ftpcluster: 0, rclone: 0 }
  for (const server of stage.servers) {
    for (const workload of workloads) {
      if (workload.fits?.(server) === false) continue
      say(`${server.name}: ${workload.title}`)
      rows.push(rowOf(workload, server, await measure(stage, server, workload)))
      // A restart begins anew.
      peaks.ftpcluster = Math.max(peaks.ftpcluster, peakMemory(stage.ftpcluster.pid))
      peaks.rclone = Math.max(peaks.rclone, peakMemory(stage.rclone.pid))
    }
    // A run that is cut short leaves what it had.
    if (options.json !== undefined)
      await writeFile(options.json, JSON.stringify({ machine, scale, rows, peaks }, undefined, 2) + '\n')
    console.log(`\n## ${server.name}\n\n${tableOf(rows.filter((row) => row.server === server.name))}`)
  }
  const memory = memoryOf(peaks.ftpcluster, peaks.rclone)
  const seconds = (performance.now() - started) / 1000
  console.log(`\n${memoryLine(memory)}`)
  console.log(`${seconds.toFixed(0)} s, ${scale.rounds} rounds, ${machine}`)
  const missed = rows
    .flatMap((row) => [row.ratio, row.cpuPerGib?.ratio, row.ofDirect])
    .filter((ratio) => ratio?.met === false)
  console.log(`Targets missed: ${missed.length}`)
} catch (error) {
  failed = true
  console.error(error)
} finally {
  await stage.stop()
}
process.exit(failed ? 1 : 0)

/** A B A B: what else the machine does meets both. */
async function measure(stage: Stage, server: Server, workload: Workload): Promise<Round[]> {
  const rounds: Round[] = []
  for (let round = 0; round < scale.rounds; round++) {
    const id = `${workload.name}-${server.name}-${round}`
    const turn = (drive: Drive): Turn => ({ stage, server, scale, round, drive, id: `${id}-${drive.name}` })
    const ftpcluster = await take(workload, turn(stage.ftpcluster))
    const rclone = await take(workload, turn(workload.peer === 'caching' ? stage.caching : stage.rclone))
    const direct = await workload.direct?.({ stage, server, scale, round, id })
    rounds.push({ ftpcluster, rclone, direct })
  }
  return rounds
}

async function take(workload: Workload, turn: Turn): Promise<Measured> {
  await workload.before?.(turn)
  const before = cpuSeconds(turn.drive.pid)
  const result = await workload.run(turn)
  const cpu = result.cpu ?? cpuSeconds(turn.drive.pid) - before
  await workload.after?.(turn)
  return { ...result, cpu }
}
