import { targetOf, MEMORY_TARGET, type Measure } from './targets.js'
import type { Server } from './stage.js'
import { GIB, isRate, median, type Result, type Workload } from './workload.js'

/** What one drive did in one turn. */
export type Measured = Result & {
  readonly cpu: number
  /** Answers that it broke off, and was asked for again. */
  readonly brokenOff?: number
}

export interface Row {
  readonly server: string
  readonly workload: string
  readonly title: string
  readonly unit: Workload['unit']
  readonly ftpcluster: number
  readonly rclone: number
  readonly direct: number | undefined
  readonly ratio: Ratio
  readonly ofDirect: Ratio | undefined
  readonly cpuPerGib: { readonly ftpcluster: number; readonly rclone: number; readonly ratio: Ratio } | undefined
  /** Answers of all rounds that rclone broke off. */
  readonly brokenOff: number
  readonly cpuPer1000: { readonly ftpcluster: number; readonly rclone: number } | undefined
}

/** Of the product to the other, median of the rounds and how far they lie apart. */
export interface Ratio {
  readonly median: number
  readonly least: number
  readonly most: number
  readonly target: number | undefined
  readonly met: boolean | undefined
}

export interface Round {
  readonly ftpcluster: Measured
  readonly rclone: Measured
  readonly direct: Result | undefined
}

/** A workload on a server, as often as it was run. */
export interface Measurement {
  readonly server: Pick<Server, 'name' | 'kind'>
  readonly workload: { readonly name: string; readonly title: string; readonly unit: Workload['unit'] }
  readonly rounds: readonly Round[]
}

export function rowOf({ server, workload, rounds }: Measurement): Row {
  const { name, title, unit } = workload
  const more = isRate(unit)
  const target = (measure: Measure) => targetOf(name, measure, server)
  const of = (drive: 'ftpcluster' | 'rclone', value: (measured: Measured) => number) =>
    median(rounds.map((round) => value(round[drive])))
  const pairs = (value: (measured: Measured) => number) =>
    rounds.map((round) => value(round.ftpcluster) / value(round.rclone))
  const perGib = ({ cpu, bytes = 0 }: Measured) => cpu / (bytes / GIB)
  const per1000 = ({ cpu, requests = 0 }: Measured) => cpu / (requests / 1000)
  const first = rounds[0]?.ftpcluster
  const direct = rounds.flatMap(({ direct }) => direct ?? [])
  return {
    server: server.name,
    workload: name,
    title,
    unit,
    ftpcluster: of('ftpcluster', ({ value }) => value),
    rclone: of('rclone', ({ value }) => value),
    direct: direct.length > 0 ? median(direct.map(({ value }) => value)) : undefined,
    ratio: ratioOf(
      pairs(({ value }) => value),
      target('value'),
      more,
    ),
    ofDirect:
      direct.length > 0
        ? ratioOf(
            rounds.map((round) => round.ftpcluster.value / (round.direct?.value ?? NaN)),
            target('direct'),
            more,
          )
        : undefined,
    cpuPerGib:
      (first?.bytes ?? 0) >= GIB / 16
        ? {
            ftpcluster: of('ftpcluster', perGib),
            rclone: of('rclone', perGib),
            ratio: ratioOf(pairs(perGib), target('cpu'), false),
          }
        : undefined,
    brokenOff: rounds.reduce((sum, { rclone }) => sum + (rclone.brokenOff ?? 0), 0),
    cpuPer1000:
      (first?.requests ?? 0) >= 20
        ? { ftpcluster: of('ftpcluster', per1000), rclone: of('rclone', per1000) }
        : undefined,
  }
}

export function ratioOf(values: readonly number[], target: number | undefined, more: boolean): Ratio {
  const middle = median(values)
  const met = target === undefined ? undefined : more ? middle >= target : middle <= target
  return { median: middle, least: Math.min(...values), most: Math.max(...values), target, met }
}

export interface Memory {
  readonly ftpcluster: number
  readonly rclone: number
  readonly ratio: Ratio
}

export function memoryOf(peaks: readonly { readonly ftpcluster: number; readonly rclone: number }[]): Memory {
  return {
    ftpcluster: median(peaks.map(({ ftpcluster }) => ftpcluster)),
    rclone: median(peaks.map(({ rclone }) => rclone)),
    ratio: ratioOf(
      peaks.map(({ ftpcluster, rclone }) => ftpcluster / rclone),
      MEMORY_TARGET,
      false,
    ),
  }
}

const number = (value: number | undefined): string => {
  if (value === undefined || !Number.isFinite(value)) return '-'
  return value >= 100
    ? value.toFixed(0)
    : value >= 10
      ? value.toFixed(1)
      : value >= 0.1
        ? value.toFixed(2)
        : value.toFixed(3)
}

const verdict = ({ target, met }: Ratio, more: boolean): string =>
  target === undefined ? '' : `${more ? '>=' : '<='} ${target} ${met ? 'met' : 'NOT MET'}`

/** A table in Markdown, one line for each row, wide enough to be read as text, too. */
export function tableOf(rows: readonly Row[]): string {
  const head = ['workload', 'unit', 'ftpcluster', 'rclone', 'ratio', 'spread', 'target', 'CPU s: ours', 'rclone']
  const lines = rows.flatMap((row) => {
    const more = isRate(row.unit)
    const { ratio, cpuPerGib, cpuPer1000, ofDirect } = row
    const spread = ({ least, most }: Ratio) => `${number(least)}-${number(most)}`
    const cpu = cpuPerGib ?? cpuPer1000
    const per = cpuPerGib ? '/GiB' : cpuPer1000 ? '/1000' : ''
    const all = [
      [row.title, row.unit, number(row.ftpcluster), number(row.rclone), number(ratio.median), spread(ratio)].concat([
        verdict(ratio, more),
        `${number(cpu?.ftpcluster)}${per}`,
        number(cpu?.rclone),
      ]),
    ]
    if (cpuPerGib?.ratio.target !== undefined) {
      const { ratio: of } = cpuPerGib
      all.push([
        '  CPU per GiB',
        's',
        number(cpuPerGib.ftpcluster),
        number(cpuPerGib.rclone),
        number(of.median),
        spread(of),
        verdict(of, false),
        '',
        '',
      ])
    }
    if (ofDirect) {
      all.push([
        '  against direct access',
        row.unit,
        number(row.ftpcluster),
        number(row.direct),
        number(ofDirect.median),
        spread(ofDirect),
        verdict(ofDirect, more),
        '',
        '',
      ])
    }
    return all
  })
  return align([head, head.map(() => '---'), ...lines])
}

/** A sentence for each row in which rclone did not answer at once. */
export function brokenOffNotes(rows: readonly Row[]): string[] {
  return rows
    .filter(({ brokenOff }) => brokenOff > 0)
    .map(({ title, brokenOff }) =>
      brokenOff === 1
        ? `- rclone broke off an answer in "${title}"; it was asked for again.`
        : `- rclone broke off ${brokenOff} answers in "${title}"; they were asked for again.`,
    )
}

/** Cells padded to columns; a line of `---` stands below the head. */
export function align(lines: readonly (readonly string[])[]): string {
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0))) ?? []
  return lines
    .map(
      (line) =>
        `| ${line.map((cell, column) => (cell === '---' ? '-'.repeat(widths[column] ?? 3) : cell.padEnd(widths[column] ?? 0))).join(' | ')} |`,
    )
    .join('\n')
}

export function memoryLine({ ftpcluster, rclone, ratio }: Memory): string {
  const mib = (bytes: number) => `${(bytes / 1024 ** 2).toFixed(0)} MiB`
  return `Peak memory: ftpcluster ${mib(ftpcluster)}, rclone ${mib(rclone)}, ratio ${number(ratio.median)}, ${verdict(ratio, false)}`
}
