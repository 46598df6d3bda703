/**
 * Makes a checkout ready to run, with nothing but Node and npm: installs packages when they are missing or not those of the
 * lockfile, and builds `dist/` when a source changed. Plain JavaScript, because it runs before anything is installed.
 *
 *     node src/prepare.mjs [--install-only | --run MODULE ARGUMENT...]
 *
 * `--run` goes on as that module of `dist/`, in this process. npm runs scripts by a shell, which keeps the signals of npm to
 * itself unless it becomes the program: hence `exec` in the scripts. Windows has no `exec`, says so, and takes what follows `||`.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { fileURLToPath, pathToFileURL } from 'node:url'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const DIST = join(ROOT, 'dist')
const STAMP = join(DIST, '.stamp')
const CACHE = join(ROOT, 'node_modules', '.cache', 'ftpcluster')

checkNode()
if (!isInstalled()) install()
if (!process.argv.includes('--install-only')) {
  const stamp = stampOfSources()
  if (!isBuilt(stamp)) build(stamp)
}
if (process.argv[2] === '--run') await goOnAs(...process.argv.slice(3))

async function goOnAs(module, ...args) {
  const file = join(DIST, module)
  process.argv.splice(1, Infinity, file, ...args)
  await import(pathToFileURL(file).href)
}

function checkNode() {
  const wanted = /\d+\.\d+/.exec(readJson('package.json').engines.node)?.[0] ?? '0.0'
  const [major, minor] = wanted.split('.').map(Number)
  const [hasMajor, hasMinor] = process.versions.node.split('.').map(Number)
  if (hasMajor > major || (hasMajor === major && hasMinor >= minor)) return
  fail(`FTPCluster needs Node ${wanted} or newer; this is ${process.version}. See https://nodejs.org/`)
}

/** Every package of the lockfile is there in its version; optional ones may be missing (other systems). */
function isInstalled() {
  if (!existsSync(join(ROOT, 'node_modules', '.package-lock.json'))) return false
  const wanted = readJson('package-lock.json').packages
  const installed = readJson('node_modules/.package-lock.json').packages
  return Object.entries(wanted).every(([path, { version, optional, devOptional }]) => {
    if (path === '') return true
    const found = installed[path]
    return found ? found.version === version : optional === true || devOptional === true
  })
}

function install() {
  const command = existsSync(join(ROOT, 'node_modules')) ? 'install' : 'ci'
  say(`installing packages (npm ${command}), this takes a minute`)
  const args = [command, '--no-audit', '--no-fund', '--loglevel=error']
  // npm tells its scripts where it is; elsewhere it is found by its name.
  const npm = process.env['npm_execpath']
  if (npm) run(process.execPath, [npm, ...args])
  else run('npm', args, { shell: process.platform === 'win32' })
}

/** Content, not times: a checkout gives every file the time of the checkout. */
function stampOfSources() {
  const hash = createHash('sha256')
  const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .sort()
    .map((name) => join('src', name))
  for (const file of ['package-lock.json', 'tsconfig.json', 'tsconfig.build.json', ...sources]) {
    hash
      .update(file)
      .update('\0')
      .update(readFileSync(join(ROOT, file)))
      .update('\0')
  }
  return hash.digest('hex')
}

function isBuilt(stamp) {
  return existsSync(STAMP) && readFileSync(STAMP, 'utf8') === stamp
}

/** Beside `dist/` first: a failed or cut build leaves the old one. */
function build(stamp) {
  say('building')
  const fresh = join(CACHE, `dist-${process.pid}`)
  const old = join(CACHE, `old-${process.pid}`)
  mkdirSync(CACHE, { recursive: true })
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')
  try {
    run(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', fresh, '--noEmitOnError'])
    writeFileSync(join(fresh, '.stamp'), stamp)
    if (existsSync(DIST)) renameSync(DIST, old)
    renameSync(fresh, DIST)
  } finally {
    rmSync(fresh, { recursive: true, force: true })
    rmSync(old, { recursive: true, force: true })
  }
}

function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { cwd: ROOT, stdio: 'inherit', ...options })
  if (error) fail(`${command} cannot be run: ${error.message}`)
  if (status !== 0) fail(`${[command, ...args].join(' ')} failed`)
}

function readJson(file) {
  return JSON.parse(readFileSync(join(ROOT, file), 'utf8'))
}

function say(message) {
  process.stderr.write(`ftpcluster: ${message}\n`)
}

function fail(message) {
  say(message)
  process.exit(1)
}
