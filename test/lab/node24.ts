/**
 * Prints the path of a Node 24 binary, fetched from npm into `.lab/node24` when it is missing. Usage, from the top of the
 * repository:
 *
 * ```sh
 * PATH="$(dirname "$(npx tsx test/lab/node24.ts)"):$PATH" npx mocha --recursive test/storage test/vfs test/dav
 * ```
 *
 * Packages with native code (sqlite3, bcrypt) use Node-API, so `node_modules` serves both versions.
 */
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { must } from './run.js'

const folder = path.join(import.meta.dirname, '../../.lab/node24')
const binary = path.join(folder, 'node_modules', `node-linux-${process.arch}`, 'bin/node')

if (!existsSync(binary)) {
  await mkdir(folder, { recursive: true })
  await writeFile(path.join(folder, 'package.json'), '{ "private": true }\n')
  const quiet = ['--no-audit', '--no-fund', '--no-save', '--silent']
  await must('npm', ['install', '--prefix', folder, ...quiet, `node-linux-${process.arch}@24`], { timeout: 300_000 })
}
const version = (await must(binary, ['--version'])).trim()
if (!version.startsWith('v24.')) throw new Error(`${binary} is ${version}, not Node 24.`)
console.log(binary)
