/** How the cost of the gateway grows with what it serves: `npm run bench -- --growth`. */
import { mkdir, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import path from 'node:path'
import { writeSection } from '../docs.js'
import type { Axis, GrowthScale } from './axis.js'
import { entries } from './entries.js'
import { fileSize } from './file-size.js'
import { latency } from './latency.js'
import { growthChart, growthTable, tooSteep, type Grown } from './report.js'
import { servers } from './servers.js'
import { users } from './users.js'

const KIB = 1024
const GIB = KIB ** 3

const WHOLE: GrowthScale = {
  entries: [100, 1000, 10_000, 50_000],
  users: [1, 10, 50, 200],
  servers: [1, 5, 20, 50],
  bytes: [KIB, 32 * KIB, KIB ** 2, 32 * KIB ** 2, GIB, 4 * GIB],
  latencies: [0, 10, 50],
}

const QUICK: GrowthScale = {
  ...WHOLE,
  entries: [100, 1000, 10_000],
  users: [1, 10, 50],
  servers: [1, 5, 20],
  bytes: [KIB, KIB ** 2, 32 * KIB ** 2, 256 * KIB ** 2],
  latencies: [0, 10],
}

export const AXES: readonly Axis[] = [entries, users, servers, fileSize, latency]

const DOCS = path.join(import.meta.dirname, '../../docs')

/** Measures and prints; with `docs` the tables go to docs/performance.md and the plots beside it. */
export async function growth(options: {
  readonly axes: readonly Axis[]
  readonly quick: boolean
  readonly docs: boolean
}): Promise<void> {
  const started = performance.now()
  const elapsed = () => (performance.now() - started) / 1000
  for (const axis of options.axes) {
    const from = elapsed()
    const say = (text: string): void => console.error(`${elapsed().toFixed(0).padStart(5)} s  ${axis.name}: ${text}`)
    const grown: Grown = { axis, points: await axis.measure(options.quick ? QUICK : WHOLE, say) }
    const how = `\`${commandFor(axis, options.quick)}\` (${(elapsed() - from).toFixed(0)} s) on ${cpus().length} x ${cpus()[0]?.model}, Node ${process.version}.`
    const steep = tooSteep(grown)
    const verdict =
      steep.length === 0 ? 'Nothing grows faster than it may.' : steep.map((line) => `- ${line}`).join('\n')
    console.log(`\n### ${axis.title}\n\n${growthTable(grown)}\n\n${verdict}\n\n${how}`)
    if (!options.docs) continue
    const image = `images/growth-${axis.name}.svg`
    await mkdir(path.join(DOCS, 'images'), { recursive: true })
    await writeFile(path.join(DOCS, image), growthChart(grown))
    const parts = [
      `### ${axis.title}`,
      ...(axis.note === undefined ? [] : [axis.note]),
      growthTable(grown),
      `![${axis.title}](${image})`,
      verdict,
      how,
    ]
    await writeSection(path.join(DOCS, 'performance.md'), `growth-${axis.name}`, parts.join('\n\n'))
  }
}

const commandFor = ({ name }: Axis, quick: boolean): string =>
  `npm run bench -- --growth --only ${name}${quick ? ' --quick' : ''}`
