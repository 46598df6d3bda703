import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { labPrograms } from '../lab/programs.js'
import { run } from '../lab/run.js'

export const LITMUS_SUITES = ['basic', 'copymove', 'props', 'locks', 'http'] as const

export interface LitmusTest {
  readonly suite: string
  readonly name: string
  /** `pass`, `FAIL (why)`, `SKIPPED (why)`, `pass (with 1 warning)`. */
  readonly outcome: string
}

export interface LitmusReport {
  readonly tests: readonly LitmusTest[]
  /** Number of tests by suite, as litmus itself counts them. */
  readonly counts: Readonly<Record<string, number>>
  /** Lines of the form `WARNING: …`, with their suite. */
  readonly warnings: readonly string[]
  /** All it printed. */
  readonly output: string
  /** What litmus sent and got, for the reader of a failed test. */
  debugOf(test: LitmusTest): string
}

export interface LitmusTarget {
  /** Of an existing folder, with a slash at its end. */
  readonly url: string
  readonly username: string
  readonly password: string
}

/** Runs every suite of litmus against a folder. */
export async function runLitmus({ url, username, password }: LitmusTarget): Promise<LitmusReport> {
  const { root, env } = await labPrograms()
  const folder = await mkdtemp(path.join(tmpdir(), 'ftpcluster-litmus-'))
  try {
    let output = ''
    let debug = ''
    for (const suite of LITMUS_SUITES) {
      const result = await run(path.join(root, 'usr/bin/litmus'), ['--keep-going', url, username, password], {
        cwd: folder,
        env: {
          ...env,
          TESTS: suite,
          TESTROOT: path.join(root, 'usr/libexec/litmus'),
          HTDOCS: path.join(root, 'usr/share/litmus/htdocs'),
        },
        timeout: 300_000,
      })
      output += result.stdout + result.stderr
      debug += await readFile(path.join(folder, 'debug.log'), 'latin1').catch(() => '')
    }
    return { ...parse(output), output, debugOf: (test) => debugOf(debug, test) }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Its lines look like ` 3. put_get_utf8_segment.. pass`, a progress of `\r` and dots, and `    ...... WARNING: why`. */
function parse(output: string): Pick<LitmusReport, 'tests' | 'counts' | 'warnings'> {
  const counts: Record<string, number> = {}
  const tests: LitmusTest[] = []
  const warnings: string[] = []
  let suite = ''
  for (const line of output.split(/\r|\n/)) {
    suite = /^-> running `(\w+)'/.exec(line)?.[1] ?? suite
    const warning = /WARNING: .*/.exec(line)?.[0]
    const count = /^<- summary for `\w+': of (\d+) tests run/.exec(line)?.[1]
    if (count !== undefined) counts[suite] = Number(count)
    if (warning !== undefined) warnings.push(`${suite}: ${warning}`)
    const match = /^\s*\d+\. (\w+?)\.* (?!WARNING)(\S.*)$/.exec(line)
    const [, name, outcome] = match ?? []
    if (name !== undefined && outcome !== undefined) tests.push({ suite, name, outcome: outcome.trim() })
  }
  return { tests, counts, warnings }
}

/** The part of `debug.log` whose requests carry the header `X-Litmus: <suite>: <n> (<test>)`. */
function debugOf(debug: string, test: LitmusTest): string {
  const lines = debug.split('\n')
  const mine = new RegExp(`X-Litmus(-Second)?: ${test.suite}: \\d+ \\(${test.name}\\)`)
  const first = lines.findIndex((line) => mine.test(line))
  const last = lines.findLastIndex((line) => mine.test(line))
  return first < 0 ? '' : lines.slice(Math.max(0, first - 5), last + 40).join('\n')
}
