/**
 * Measures the gateway side by side with `rclone serve webdav` over the servers of the test lab: `npm run bench`.
 * README.md tells what the options are.
 */
import { parseArgs } from 'node:util'
import path from 'node:path'
import { compare } from './compare.js'
import { writeSection } from './docs.js'
import { AXES, growth } from './growth/growth.js'
import { profileTable, profileTop } from './profile-top.js'
import { mergedText, readRun } from './run-file.js'
import { QUICK, WHOLE } from './scale.js'
import { nameOf, type Place } from './stage.js'
import { allWorkloads } from './workloads.js'

const PLACES: readonly Place[] = [
  { kind: 'sshd' },
  { kind: 'proftpd' },
  { kind: 'vsftpd' },
  { kind: 'pure-ftpd' },
  { kind: 'proftpd-ftps' },
  { kind: 'sshd', roundTrip: 10 },
  { kind: 'vsftpd', roundTrip: 10 },
]

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true, default: [] },
    server: { type: 'string', multiple: true, default: [] },
    rounds: { type: 'string' },
    json: { type: 'string' },
    profile: { type: 'string' },
    growth: { type: 'boolean', default: false },
    docs: { type: 'boolean', default: false },
    'profile-top': { type: 'string' },
    'profile-table': { type: 'string' },
    merge: { type: 'string', multiple: true, default: [] },
    list: { type: 'boolean', default: false },
  },
})
/** Prints what was measured before, and ends. */
async function show(section: string, text: string): Promise<never> {
  console.log(text)
  if (options.docs) await writeSection(path.join(import.meta.dirname, '../docs/performance.md'), section, text)
  process.exit(0)
}
const listed = (texts: readonly string[]): string[] => texts.flatMap((text) => text.split(','))

if (options['profile-top'] !== undefined) {
  console.log(await profileTop(options['profile-top']))
  process.exit(0)
}
if (options['profile-table'] !== undefined) await show('profiles', await profileTable(options['profile-table']))
if (options.merge.length > 0) await show('runs', mergedText(await Promise.all(listed(options.merge).map(readRun))))

const command = ['npm run bench', ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [])].join(' ')

const scale = { ...(options.quick ? QUICK : WHOLE), ...(options.rounds ? { rounds: Number(options.rounds) } : {}) }
const chosen = (names: readonly string[], name: string): boolean =>
  names.length === 0 || listed(names).some((wanted) => new RegExp(`^${wanted.replaceAll('*', '.*')}$`).test(name))
if (options.growth) {
  const axes = AXES.filter(({ name }) => chosen(options.only, name))
  await growth({ axes, quick: options.quick, docs: options.docs })
  process.exit(0)
}
const workloads = allWorkloads(scale).filter(({ name }) => chosen(options.only, name))
const servers = options.quick && options.server.length === 0 ? ['sshd', 'vsftpd'] : options.server
const places = PLACES.filter((place) => chosen(servers, nameOf(place)))
if (options.list) {
  console.log(`Workloads: ${workloads.map(({ name }) => name).join(' ')}\nServers: ${PLACES.map(nameOf).join(' ')}`)
  process.exit(0)
}
if (workloads.length === 0 || places.length === 0) {
  console.error('Nothing of that name: --list shows what there is.')
  process.exit(2)
}
process.exit(
  (await compare({ command, places, workloads, scale, json: options.json, profile: options.profile })) ? 0 : 1,
)
