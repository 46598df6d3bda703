import { readdir, readFile, stat } from 'node:fs/promises'
import path from 'node:path'

/** What `node --cpu-prof` writes; see https://chromedevtools.github.io/devtools-protocol/tot/Profiler/#type-Profile. */
interface Profile {
  readonly nodes: readonly {
    readonly id: number
    /** What it calls. */
    readonly children?: readonly number[]
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
  }[]
  readonly samples: readonly number[]
  /** Microseconds before each sample. */
  readonly timeDeltas: readonly number[]
}

/** Where a program waits. */
const NOT_BUSY = '(idle)'

/** The profiler's own: the call that starts it looks through all compiled code. */
const PROFILER = 'dispatch'

/** A function of the gateway's as `nameOf` tells it. */
const OWN = / {2}dist\//

/**
 * Where most time was spent, of a file, or of all `.cpuprofile` in a folder: by parts and functions themselves, and in the
 * gateway's own functions with all that they call.
 */
export async function profileTop(place: string, count = 30): Promise<string> {
  const times = new Map<string, number>()
  const withCalls = new Map<string, number>()
  for (const file of await profilesAt(place)) {
    await addTimes(file, times, withCalls)
  }
  const { idle, busy } = takeTotals(times)
  const line = (name: string, seconds: number) =>
    `${((seconds / busy) * 100).toFixed(1).padStart(5)} %  ${seconds.toFixed(3).padStart(8)} s  ${name}`
  const top = (of: Map<string, number>, most: number) =>
    [...of]
      .sort(([, a], [, b]) => b - a)
      .slice(0, most)
      .map(([name, seconds]) => line(name, seconds))
  return [
    `${busy.toFixed(2)} s busy, ${idle.toFixed(2)} s idle`,
    ...['', 'By part:', ...top(byPart(times), 12)],
    ...['', 'By function:', ...top(times, count)],
    ...['', 'By function of the gateway, with what it calls:', ...top(withCalls, count)],
  ].join('\n')
}

/** What a column of `profileTable` counts. The first that fits a function has it. */
const COLUMNS: readonly (readonly [string, (name: string) => boolean])[] = [
  ['writes', (name) => /^(writev?|write(Buffer|Latin1String|Utf8String|AsciiString)|uv_write)$/.test(name)],
  ['connects', (name) => /^(connect6?|TCP|lookup)$/.test(name)],
  ['collector', (name) => name === '(garbage collector)'],
  ['gateway', (name) => OWN.test(name)],
  ['ssh2', (name) => /node_modules\/(ssh2|asn1|cpu-features)|^(encrypt|decrypt)$/.test(name)],
  ['other packages', (name) => name.includes('node_modules/')],
  ['Node, JavaScript', (name) => name.includes('  node:')],
  ['Node, native', () => true],
]

/** A row for each `.cpuprofile` in a folder: what takes the time in which the program is busy, in percent, as Markdown. */
export async function profileTable(folder: string): Promise<string> {
  const rows: string[][] = []
  for (const file of (await profilesAt(folder)).sort()) {
    const times = new Map<string, number>()
    await addTimes(file, times, new Map())
    const { idle, busy } = takeTotals(times)
    const columns = new Map<string, number>()
    for (const [name, seconds] of times) add(columns, COLUMNS.find(([, fits]) => fits(name))?.[0] ?? '', seconds)
    const [largest = ['', 0] as const] = [...times].filter(([name]) => OWN.test(name)).sort(([, a], [, b]) => b - a)
    const percent = (seconds: number) => ((seconds / busy) * 100).toFixed(seconds / busy < 0.1 ? 1 : 0)
    rows.push([
      path.basename(file, '.cpuprofile').replace(/-\d+-ftpcluster$/, ''),
      ((idle / (idle + busy)) * 100).toFixed(0),
      ...COLUMNS.map(([title]) => percent(columns.get(title) ?? 0)),
      `\`${largest[0].split('  ')[0]}\` ${percent(largest[1])}`,
    ])
  }
  const heads = ['row', 'idle', ...COLUMNS.map(([title]) => title), 'largest of the gateway']
  return [heads, heads.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

/** Adds the seconds of each function itself, and those of the gateway's with what they call. */
async function addTimes(file: string, times: Map<string, number>, withCalls: Map<string, number>): Promise<void> {
  const { nodes, samples, timeDeltas } = JSON.parse(await readFile(file, 'utf8')) as Profile
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]))
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])))
  for (const [at, node] of samples.entries()) {
    const seconds = Math.max(0, timeDeltas[at] ?? 0) / 1e6
    add(times, names.get(node) ?? '(unknown)', seconds)
    const stack = new Set<string>()
    for (let on: number | undefined = node; on !== undefined; on = parents.get(on)) stack.add(names.get(on) ?? '')
    for (const name of stack) if (OWN.test(name)) add(withCalls, name, seconds)
  }
}

/** Takes out what is no work. */
function takeTotals(times: Map<string, number>): { readonly idle: number; readonly busy: number } {
  const idle = times.get(NOT_BUSY) ?? 0
  for (const name of [NOT_BUSY, PROFILER]) times.delete(name)
  return { idle, busy: [...times.values()].reduce((sum, seconds) => sum + seconds, 0) }
}

function add(times: Map<string, number>, name: string, seconds: number): void {
  times.set(name, (times.get(name) ?? 0) + seconds)
}

async function profilesAt(place: string): Promise<string[]> {
  if ((await stat(place)).isFile()) return [place]
  const names = (await readdir(place)).filter((name) => name.endsWith('.cpuprofile'))
  if (names.length === 0) throw new Error(`${place} holds no .cpuprofile.`)
  return names.map((name) => path.join(place, name))
}

function nameOf({ functionName, url, lineNumber }: Profile['nodes'][number]['callFrame']): string {
  const name = functionName === '' ? '(anonymous)' : functionName
  return url === '' ? name : `${name}  ${shortened(url)}:${lineNumber + 1}`
}

/** From the last `node_modules` on, or else from the gateway's `dist`. */
const shortened = (url: string): string =>
  url
    .replace(/^file:\/\//, '')
    .replace(/^.*\/node_modules\//, 'node_modules/')
    .replace(/^\/.*\/dist\//, 'dist/')

/** Folders of the gateway, packages, Node's own modules, V8. */
function byPart(times: ReadonlyMap<string, number>): Map<string, number> {
  const parts = new Map<string, number>()
  for (const [name, seconds] of times) {
    const file = name.split('  ')[1]
    const part =
      file === undefined
        ? `native: ${name}`
        : (/^(dist\/(?:[^/]+\/)*|node_modules\/(?:@[^/]+\/)?[^/]+|node:[^/:]+)/.exec(file)?.[1] ?? file)
    add(parts, part, seconds)
  }
  return parts
}
