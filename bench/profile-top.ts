import { readdir, readFile, stat } from 'node:fs/promises'
import path from 'node:path'

/** What `node --cpu-prof` writes; see https://chromedevtools.github.io/devtools-protocol/tot/Profiler/#type-Profile. */
interface Profile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
  }[]
  readonly samples: readonly number[]
  /** Microseconds before each sample. */
  readonly timeDeltas: readonly number[]
}

/** Where a program waits or V8 works for itself. */
const NOT_BUSY = '(idle)'

/** The functions in which most time was spent, themselves and not by calls; of a file, or of all `.cpuprofile` in a folder. */
export async function profileTop(place: string, count = 30): Promise<string> {
  const times = new Map<string, number>()
  for (const file of await profilesAt(place)) {
    const { nodes, samples, timeDeltas } = JSON.parse(await readFile(file, 'utf8')) as Profile
    const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]))
    for (const [at, node] of samples.entries()) {
      const name = names.get(node) ?? '(unknown)'
      times.set(name, (times.get(name) ?? 0) + Math.max(0, timeDeltas[at] ?? 0) / 1e6)
    }
  }
  const idle = times.get(NOT_BUSY) ?? 0
  times.delete(NOT_BUSY)
  const busy = [...times.values()].reduce((sum, seconds) => sum + seconds, 0)
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
  ].join('\n')
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

const shortened = (url: string): string => url.replace(/^file:\/\//, '').replace(/^.*\/(dist|node_modules)\//, '$1/')

/** Folders of the gateway, packages, Node's own modules, V8. */
function byPart(times: ReadonlyMap<string, number>): Map<string, number> {
  const parts = new Map<string, number>()
  for (const [name, seconds] of times) {
    const file = name.split('  ')[1]
    const part =
      file === undefined
        ? `native: ${name}`
        : (/^(dist\/(?:[^/]+\/)*|node_modules\/(?:@[^/]+\/)?[^/]+|node:[^/:]+)/.exec(file)?.[1] ?? file)
    parts.set(part, (parts.get(part) ?? 0) + seconds)
  }
  return parts
}
