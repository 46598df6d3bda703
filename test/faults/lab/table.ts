import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { FIGURES, type Figure } from './figures.js'
import type { MatrixRow } from './matrix.js'

/** A test of this folder, as mocha knows it. */
export interface ListedTest {
  /** From the root of the project. */
  readonly file: string
  /** That of a test of a row begins with the row; others have those of their groups before theirs. */
  readonly title: string
}

const ROW = /^row (\d+(?: and \d+)*): (.*)$/s
const RUN = /^Last run: (.*)$/m
/** `the title ([file](../test/faults/file.test.ts))` */
const NAMED = /^(.*) \(\[[^\]]*\]\(\.\.\/(test\/faults\/[^)]+)\)\)$/

/** The newest figure of each test, from what the last runs left. */
export function newestFigures(): ReadonlyMap<string, Figure> {
  const found = new Map<string, Figure>()
  if (!existsSync(FIGURES)) return found
  for (const line of readFileSync(FIGURES, 'utf8').split('\n')) {
    if (line === '') continue
    const figure = JSON.parse(line) as Figure
    found.set(keyOf(figure), figure)
  }
  return found
}

/**
 * @param previous the page as it is: what was not measured anew keeps its figure
 * @param run when, on which commit and how long it was measured; default: what the page said
 */
export function pageOf(
  matrix: readonly MatrixRow[],
  tests: readonly ListedTest[],
  figures: ReadonlyMap<string, Figure>,
  previous: string,
  run?: string,
): string {
  const kept = new Map(testsNamedIn(previous).map((named) => [keyOf(named), named.measured]))
  const measured = (test: ListedTest): string => {
    const figure = figures.get(keyOf(test))
    if (figure === undefined) return kept.get(keyOf({ ...test, title: shortTitle(test) })) || 'not measured'
    if (figure.failed === true) return ['**failed**', ...figure.measured].join('; ')
    return figure.measured.length === 0 ? 'held' : figure.measured.join('; ')
  }
  const lines = matrix.flatMap((entry) => {
    const about = [String(entry.row), entry.fault, entry.sees, entry.bound]
    const own = tests.filter((test) => rowsOf(test).includes(entry.row))
    if (own.length === 0) return [cells(...about, entry.leftOut === undefined ? '' : `none: ${entry.leftOut}`, '')]
    return own.map((test, i) => cells(...(i === 0 ? about : ['', '', '', '']), nameOf(test), measured(test)))
  })
  const beyond = tests.filter((test) => rowsOf(test).length === 0).map((test) => cells(nameOf(test), measured(test)))
  const lastRun = run ?? RUN.exec(previous)?.[1] ?? 'none'
  return PAGE.replace('RUN', () => lastRun)
    .replace('ROWS', () => lines.join('\n'))
    .replace('BEYOND', () => beyond.join('\n'))
}

/** The last run that was not only a part. */
export function fullRunOf(page: string): string {
  const run = RUN.exec(page)?.[1] ?? 'none'
  return /\(the other figures: (.*)\)$/.exec(run)?.[1] ?? run
}

/** What is wrong with the page: rows it does not name, rows without test and reason, tests that are missing on one side. */
export function problemsOf(page: string, matrix: readonly MatrixRow[], tests: readonly ListedTest[]): string[] {
  const rows = new Set([...page.matchAll(/^\| (\d+) +\|/gm)].map((match) => Number(match[1])))
  const named = new Set(testsNamedIn(page).map(keyOf))
  const existing = new Set(tests.map((test) => keyOf({ ...test, title: shortTitle(test) })))
  const covered = new Set(tests.flatMap(rowsOf))
  return [
    ...matrix.filter(({ row }) => !rows.has(row)).map(({ row }) => `row ${row} is not on the page`),
    ...matrix
      .filter(({ row, leftOut }) => !covered.has(row) && leftOut === undefined)
      .map(({ row }) => `row ${row} has neither a test nor a reason for none`),
    ...[...covered]
      .filter((row) => !matrix.some((entry) => entry.row === row))
      .map((row) => `row ${row} of a test is not in the matrix`),
    ...[...named].filter((key) => !existing.has(key)).map((key) => `the page names a test that is not there: ${key}`),
    ...tests
      .filter((test) => rowsOf(test).length > 0)
      .map((test) => keyOf({ ...test, title: shortTitle(test) }))
      .filter((key) => !named.has(key))
      .map((key) => `the page does not name a test: ${key}`),
  ]
}

function rowsOf({ title }: ListedTest): number[] {
  return (ROW.exec(title)?.[1] ?? '').split(' and ').filter(Boolean).map(Number)
}

function shortTitle({ title }: ListedTest): string {
  return ROW.exec(title)?.[2] ?? title
}

function nameOf(test: ListedTest): string {
  const { file } = test
  return `${shortTitle(test)} ([${path.basename(file, '.test.ts')}](../${file}))`
}

function testsNamedIn(page: string): (ListedTest & { readonly measured: string })[] {
  return page.split('\n').flatMap((line) => {
    const parts = line.split(/(?<!\\)\|/).map((part) => part.trim().replaceAll('\\|', '|'))
    return parts.flatMap((part, i) => {
      const [, title, file] = NAMED.exec(part) ?? []
      return title === undefined || file === undefined ? [] : [{ title, file, measured: parts[i + 1] ?? '' }]
    })
  })
}

function keyOf({ file, title }: Pick<ListedTest, 'file' | 'title'>): string {
  return `${file}: ${title}`
}

function cells(...texts: readonly string[]): string {
  return `| ${texts.map((text) => text.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`
}

const PAGE = `# Faults: what is promised, and what was measured

Whatever breaks: a file that was acknowledged is there, one that was not left the old version whole, one bad server disturbs nobody,
and the gateway is back by itself. After every fault below the tests look at the disks of real servers (proftpd, vsftpd,
pure-ftpd, OpenSSH) and hold the gateway to these:

- I1 An upload answered 2xx: later downloads give exactly those bytes.
- I2 An upload answered otherwise, or cut: the old version is whole, or there was none. Only where the rename at its end broke it may
  be the new version, whole. Never a mix.
- I3 A download that ends cleanly is one whole version. Otherwise its connection is cut.
- I4 No listing shows fewer entries than there are without an error, and none shows a temporary file.
- I5 The process lives, leaks nothing, and the next request succeeds.
- I6 One bad server slows no other one.
- I7 No password in any log or answer.
- I8 No password to a server that did not prove who it is.
- I9 Every operation on files is in the audit with its real outcome.

Last run: RUN

\`npm run faults\` runs all tests of \`test/faults\` in their longest form and writes this page; \`npm run faults -- --table\` only
writes it. It needs the real servers, so Linux and root, and takes about half an hour on two cores. \`npm test\` runs a part of the long
tests. Bounds are those of the default deadlines; the tests run with shorter ones, and their times are of two cores that others used as well.

In the last column stands what the last run measured. "held": all that the test asserts was so, and there was no figure to note. "not
measured": it was not in that run, because something that it needs was not there or because it is newer. "failed": so it says.

| # | fault | what a user sees | bound | test | last measured |
|---|---|---|---|---|---|
ROWS

## Beyond the matrix

| test | last measured |
|---|---|
BEYOND
`
