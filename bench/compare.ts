import { writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { prepareData } from './data.js'
import { answersBrokenOff, type Drive } from './drive.js'
import { Profiler } from './profiler.js'
import { cpuSeconds, forgetPeak, peakMemory } from './processes.js'
import type { Measured, Measurement, Round } from './report.js'
import { mergedText, type Run } from './run-file.js'
import type { Scale } from './scale.js'
import { settle } from './settle.js'
import { startStage, type Place, type Server, type Stage } from './stage.js'
import { titleOf, type Turn, type Workload } from './workload.js'
import { warmUp } from './warm-up.js'
import { fits } from './workloads.js'

export interface Comparison {
  /** As it was typed. */
  readonly command: string
  readonly places: readonly Place[]
  readonly workloads: readonly Workload[]
  readonly scale: Scale
  /** File for the figures. */
  readonly json: string | undefined
  /** Folder for CPU profiles. */
  readonly profile: string | undefined
}

/** Measures both drives and prints the tables. @returns whether every answer was right */
export async function compare({ command, places, workloads, scale, json, profile }: Comparison): Promise<boolean> {
  const started = performance.now()
  const elapsed = () => (performance.now() - started) / 1000
  const say = (text: string): void => console.error(`${elapsed().toFixed(0).padStart(5)} s  ${text}`)
  const profiler = profile === undefined ? undefined : new Profiler(profile)
  const stage = await startStage(places, profiler?.nodeOptions)
  const end = () => void stage.stop().finally(() => process.exit(130))
  process.once('SIGINT', end)
  process.once('SIGTERM', end)
  const measurements: Measurement[] = []
  const failures: string[] = []
  const peaks = { ftpcluster: 0, rclone: 0 }
  const machine = `${cpus().length} x ${cpus()[0]?.model}, Node ${process.version}`
  const result = (): Run => ({ machine, command, seconds: elapsed(), scale, measurements, peaks })
  try {
    say('preparing the data')
    await prepareData(stage.servers, scale, new Set(workloads.flatMap(({ needs = [] }) => needs)))
    say('warming up')
    const protocols = new Set<string>()
    for (const server of stage.servers) {
      const which = protocols.has(server.endpoint.protocol) ? 'others' : 'first'
      protocols.add(server.endpoint.protocol)
      for (const drive of [stage.ftpcluster, stage.rclone]) await warmUp(drive, server, which)
    }
    for (const { server, workload } of inOrder(stage.servers, workloads)) {
      for (const drive of [stage.ftpcluster, stage.rclone]) await workload.start?.(drive, server)
    }
    for (const drive of [stage.ftpcluster, stage.rclone]) forgetPeak(drive.pid)
    for (const { server, workload } of inOrder(stage.servers, workloads)) {
      const title = `${server.name}: ${titleOf(workload, scale)}`
      const from = elapsed()
      const seconds = () => `${(elapsed() - from).toFixed(1)} s`
      try {
        measurements.push({
          server: { name: server.name, kind: server.kind },
          workload: { name: workload.name, title: titleOf(workload, scale), unit: workload.unit },
          rounds: await measure(stage, server, workload, scale, profiler),
        })
        say(`${title}: ${seconds()}`)
      } catch (error) {
        // What else there is to measure does not depend on it; the run has failed.
        failures.push(`${server.name}, ${workload.name}: ${(error as Error).message}`)
        say(`${title}: FAILED after ${seconds()}`)
        console.error(error)
        for (const drive of [stage.ftpcluster, stage.rclone])
          console.error(`${drive.name} has logged:\n${await drive.lastWords()}`)
      }
      // A restart begins anew.
      for (const drive of [stage.ftpcluster, stage.rclone])
        peaks[drive.name] = Math.max(peaks[drive.name], peakMemory(drive.pid))
      // A run that is cut short leaves what it had.
      if (json !== undefined) await writeFile(json, JSON.stringify(result()) + '\n')
    }
    console.log(mergedText([result()]))
    if (failures.length > 0) console.log(`\nFailed:\n${failures.join('\n')}`)
  } catch (error) {
    failures.push((error as Error).message)
    console.error(error)
  } finally {
    await stage.stop()
  }
  return failures.length === 0
}

/** Those that restart the drives come last: what was warmed up stays warm. */
function inOrder(
  servers: readonly Server[],
  workloads: readonly Workload[],
): { readonly server: Server; readonly workload: Workload }[] {
  const [last, first] = [true, false].map((restarts) =>
    servers.flatMap((server) =>
      workloads
        .filter((workload) => (workload.restarts ?? false) === restarts && fits(workload, server))
        .map((workload) => ({ server, workload })),
    ),
  )
  return [...(first ?? []), ...(last ?? [])]
}

/** A B A B: what else the machine does meets both. */
async function measure(
  stage: Stage,
  server: Server,
  workload: Workload,
  scale: Scale,
  profiler: Profiler | undefined,
): Promise<Round[]> {
  const rounds: Round[] = []
  for (let round = 0; round < scale.rounds; round++) {
    const id = `${workload.name}-${server.name}-${round}`
    const turn = (drive: Drive): Turn => ({ stage, server, scale, round, drive, id: `${id}-${drive.name}` })
    const ftpcluster = await take(workload, turn(stage.ftpcluster), profiler)
    const rclone = await take(workload, turn(workload.peer === 'caching' ? stage.caching : stage.rclone))
    if (workload.direct) await settle()
    const direct = await workload.direct?.({ stage, server, scale, round, id })
    rounds.push({ ftpcluster, rclone, direct })
  }
  return rounds
}

/** @param profiler of the process that answers; what ends that process is not profiled */
async function take(workload: Workload, turn: Turn, profiler?: Profiler): Promise<Measured> {
  await workload.before?.(turn)
  await settle()
  const [before, broken] = [cpuSeconds(turn.drive.pid), answersBrokenOff(turn.drive)]
  const run = () => workload.run(turn)
  const result = await (profiler && !workload.restarts ? profiler.during(turn.id, run) : run())
  const cpu = result.cpu ?? cpuSeconds(turn.drive.pid) - before
  const brokenOff = answersBrokenOff(turn.drive) - broken
  await workload.after?.(turn, result)
  return { ...result, cpu, ...(brokenOff > 0 ? { brokenOff } : {}) }
}
