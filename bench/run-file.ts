import { readFile } from 'node:fs/promises'
import { brokenOffNotes, memoryLine, memoryOf, rowOf, tableOf, type Measurement } from './report.js'
import type { Scale } from './scale.js'

/** What `--json` keeps of a run. */
export interface Run {
  readonly machine: string
  readonly command: string
  readonly seconds: number
  readonly scale: Scale
  readonly measurements: readonly Measurement[]
  /** Most memory that the processes had, in bytes. */
  readonly peaks: { readonly ftpcluster: number; readonly rclone: number }
}

export async function readRun(file: string): Promise<Run> {
  return JSON.parse(await readFile(file, 'utf8')) as Run
}

/** The tables in Markdown: medians over the rounds of all runs together. */
export function mergedText(runs: readonly Run[]): string {
  const rows = merged(runs.flatMap(({ measurements }) => measurements)).map(rowOf)
  const servers = [...new Set(rows.map(({ server }) => server))]
  const tables = servers.map((name) => {
    const own = rows.filter(({ server }) => server === name)
    const notes = brokenOffNotes(own).join('\n')
    return [`### ${name}`, tableOf(own), ...(notes === '' ? [] : [notes])].join('\n\n')
  })
  const ratios = rows.flatMap((row) => [row.ratio, row.cpuPerGib?.ratio, row.ofDirect])
  const memory = memoryOf(runs.map(({ peaks }) => peaks))
  const all = [...ratios, memory.ratio].filter((ratio) => ratio?.met !== undefined)
  const met = all.filter((ratio) => ratio?.met === true).length
  const how = [...new Set(runs.map(({ command }) => `\`${command}\``))].join(', ')
  const times = runs.map(({ seconds }) => `${(seconds / 60).toFixed(1)} min`).join(', ')
  const machines = [...new Set(runs.map(({ machine }) => machine))].join('; ')
  return [
    ...tables,
    `${memoryLine(memory)}\n\n${met} of ${all.length} targets met.\n`,
    `${runs.length === 1 ? 'One run' : `Medians of ${runs.length} runs`} of ${how} (${times}) on ${machines}.`,
  ].join('\n\n')
}

function merged(measurements: readonly Measurement[]): Measurement[] {
  const found = new Map<string, Measurement>()
  for (const one of measurements) {
    const key = `${one.server.name} ${one.workload.name}`
    found.set(key, { ...one, rounds: [...(found.get(key)?.rounds ?? []), ...one.rounds] })
  }
  return [...found.values()]
}
