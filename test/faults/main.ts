import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import Mocha from 'mocha'
import { FIGURES } from './lab/figures.js'
import { MATRIX } from './lab/matrix.js'
import { newestFigures, fullRunOf, pageOf, problemsOf, type ListedTest } from './lab/table.js'

/**
 * `npm run faults`: runs all tests of this folder in their longest form, then writes docs/faults.md. `--table` only writes it, by
 * the figures of whoever ran them, and takes words for which they were; `--check` only says what is wrong with it.
 */
const ROOT = path.join(import.meta.dirname, '../..')
const PAGE = path.join(ROOT, 'docs/faults.md')

function testFiles(): string[] {
  return readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => path.join(import.meta.dirname, name))
    .sort()
}

async function listTests(): Promise<ListedTest[]> {
  const mocha = new Mocha()
  for (const file of testFiles()) if (!file.endsWith('table.test.ts')) mocha.addFile(file)
  await mocha.loadFilesAsync()
  const found: ListedTest[] = []
  mocha.suite.eachTest((test: Mocha.Test) => {
    const title = test.title.startsWith('row ') ? test.title : test.fullTitle()
    found.push({ title, file: path.relative(ROOT, test.file ?? '').replaceAll('\\', '/') })
  })
  return found
}

async function runAll(): Promise<number> {
  rmSync(FIGURES, { force: true })
  const mocha = path.join(ROOT, 'node_modules/mocha/bin/mocha.js')
  const child = spawn(process.execPath, [mocha, ...testFiles()], {
    cwd: ROOT,
    env: { ...process.env, FAULTS: 'full' },
    stdio: 'inherit',
  })
  const [code] = (await once(child, 'exit')) as [number | null]
  return code ?? 1
}

/** The commit that is checked out, and whether there is more. */
function commitOf(): string {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim()
  return (
    git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain', 'src', 'test') === '' ? '' : ' and changes')
  )
}

function today(): string {
  return new Date().toISOString().slice(0, 10)
}

const page = existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : ''
const [mode = '--all', told] = process.argv.slice(2)
switch (mode) {
  case '--all': {
    const [commit, started] = [commitOf(), performance.now()]
    process.exitCode = await runAll()
    const minutes = Math.round((performance.now() - started) / 60_000)
    const run = `${today()}, commit ${commit}, all tests in their longest form, ${minutes} minutes`
    writeFileSync(PAGE, pageOf(MATRIX, await listTests(), newestFigures(), '', run))
    break
  }
  case '--table': {
    const figures = newestFigures()
    const which = told ?? `a part (the other figures: ${fullRunOf(page)})`
    const run = figures.size === 0 ? undefined : `${today()}, commit ${commitOf()}, ${which}`
    writeFileSync(PAGE, pageOf(MATRIX, await listTests(), figures, page, run))
    break
  }
  case '--check': {
    const problems = problemsOf(page, MATRIX, await listTests())
    process.stdout.write(problems.map((problem) => `${problem}\n`).join(''))
    process.exitCode = problems.length === 0 ? 0 : 1
    break
  }
  default:
    process.stderr.write(`There is no ${mode}: it is --table, --check, or nothing.\n`)
    process.exitCode = 2
}
