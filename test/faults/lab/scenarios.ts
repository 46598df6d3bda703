import { expect } from 'chai'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, symlink } from 'node:fs/promises'
import path from 'node:path'
import { eventually, versionOf } from '../../support/upload.js'
import { namesIn, type Answer } from './http-client.js'
import type { Station } from './rig.js'

/** One request and what must be true after it, whatever happened to it. */
export interface Scenario {
  readonly name: string
  /** An old file has to step aside where the server does not rename over it; `only`: nothing else is new in it. */
  readonly swaps?: true | 'only'
  prepare(station: Station): Promise<void>
  act(station: Station): Promise<Answer>
  /** Looks at the server's disk. @param seen the commands that reached the injector */
  verify(station: Station, answer: Answer, seen: readonly string[]): Promise<void>
}

/** Each case has a folder of its own: what a server still does for a case that was given up disturbs no other. */
const FOLDERS = new WeakMap<Station, number>()

function folderOf(station: Station): string {
  return `case-${FOLDERS.get(station) ?? 0}`
}
/** Two WRITEs on SFTP. */
const SIZE = 300_000
const OLD = versionOf(1, SIZE)
const NEW = versionOf(2, SIZE - 7)
const TREE: Readonly<Record<string, Buffer>> = {
  'a a.bin': versionOf(3, 20_000),
  'sub/c.bin': versionOf(5, 5_000),
}

const SUCCESS = new Set<unknown>([200, 201, 204])

async function content(station: Station, name: string): Promise<Buffer | undefined> {
  const file = path.join(station.home, folderOf(station), name)
  return existsSync(file) ? readFile(file) : undefined
}

function which(bytes: Buffer | undefined, versions: Readonly<Record<string, Buffer>>): string {
  if (bytes === undefined) return 'absent'
  for (const [name, version] of Object.entries(versions)) if (bytes.equals(version)) return name
  return `torn, ${bytes.length} bytes`
}

async function plantTree(station: Station, folder: string, tree: Readonly<Record<string, Buffer>>): Promise<void> {
  for (const [name, bytes] of Object.entries(tree)) await station.plant(`${folderOf(station)}/${folder}/${name}`, bytes)
}

/** Every file below a folder, symbolic links by their name alone; undefined where there is no folder. */
async function readTree(station: Station, folder: string): Promise<Record<string, Buffer> | undefined> {
  const root = path.join(station.home, folderOf(station), folder)
  if (!existsSync(root)) return undefined
  const found: Record<string, Buffer> = {}
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const name = path.relative(root, path.join(entry.parentPath, entry.name))
    if (entry.isFile()) found[name] = await readFile(path.join(root, name))
  }
  return found
}

function same(a: Record<string, Buffer> | undefined, b: Readonly<Record<string, Buffer>>): boolean {
  if (a === undefined || Object.keys(a).length !== Object.keys(b).length) return false
  return Object.entries(b).every(([name, bytes]) => a[name]?.equals(bytes) === true)
}

function fresh(station: Station): void {
  FOLDERS.set(station, (FOLDERS.get(station) ?? 0) + 1)
}

function renamed(seen: readonly string[]): boolean {
  return seen.some((line) => /^(RNTO|EXTENDED|RENAME)/.test(line))
}

/** FTP: an old version was given a temporary name, so that a new one can have its own. */
export function steppedAside(seen: readonly string[]): boolean {
  return seen.some((line) => /^RNTO .*\.ftpc-/.test(line))
}

/** Seconds in which the journal brings back what had stepped aside: its pauses, on a busy machine. */
const HEALED_WITHIN = 60

/** What stands there is good; where a swap broke in its middle, `between` is seen until the journal has healed it. */
async function assertSettles(
  look: () => Promise<string>,
  status: Answer['status'],
  good: readonly string[],
  between?: string,
): Promise<void> {
  let is = await look()
  if (is === between) {
    const healed = async () => (is = await look()) !== between
    await eventually(`healed (${is}), answered ${status}`, HEALED_WITHIN, healed)
  }
  expect(is, `answered ${status}`).to.be.oneOf([...good])
}

async function fromAndTo(station: Station): Promise<string> {
  const versions = { old: OLD, new: NEW }
  const [from, to] = await Promise.all([content(station, 'from.bin'), content(station, 'to.bin')])
  return `${which(from, versions)} > ${which(to, versions)}`
}

async function prepareFromAndTo(station: Station): Promise<void> {
  fresh(station)
  await station.plant(`${folderOf(station)}/from.bin`, NEW)
  await station.plant(`${folderOf(station)}/to.bin`, OLD)
}

function toTo(station: Station): { headers: Record<string, string> } {
  return { headers: { Destination: station.url(`${folderOf(station)}/to.bin`) } }
}

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'PUT',
    swaps: true,
    async prepare(station) {
      fresh(station)
      await station.plant(`${folderOf(station)}/file.bin`, OLD)
    },
    act: (station) => station.ask('PUT', `${folderOf(station)}/file.bin`, { body: NEW }),
    async verify(station, { status }, seen) {
      const look = async () => which(await content(station, 'file.bin'), { old: OLD, new: NEW })
      if (SUCCESS.has(status)) await assertSettles(look, status, ['new'])
      else {
        const between = steppedAside(seen) ? 'absent' : undefined
        await assertSettles(look, status, renamed(seen) ? ['old', 'new'] : ['old'], between)
      }
    },
  },
  {
    name: 'MOVE',
    swaps: true,
    prepare: prepareFromAndTo,
    act: (station) => station.ask('MOVE', `${folderOf(station)}/from.bin`, toTo(station)),
    async verify(station, { status }, seen) {
      const look = () => fromAndTo(station)
      if (SUCCESS.has(status)) await assertSettles(look, status, ['absent > new'])
      else {
        const between = steppedAside(seen) ? 'new > absent' : undefined
        await assertSettles(look, status, ['new > old', 'absent > new'], between)
      }
    },
  },
  {
    name: 'COPY of a file',
    swaps: 'only',
    prepare: prepareFromAndTo,
    act: (station) => station.ask('COPY', `${folderOf(station)}/from.bin`, toTo(station)),
    async verify(station, { status }, seen) {
      const look = () => fromAndTo(station)
      if (SUCCESS.has(status)) await assertSettles(look, status, ['new > new'])
      else {
        const between = steppedAside(seen) ? 'new > absent' : undefined
        await assertSettles(look, status, ['new > old', 'new > new'], between)
      }
    },
  },
  {
    name: 'COPY',
    async prepare(station) {
      fresh(station)
      await plantTree(station, 'tree', TREE)
      await plantTree(station, 'copy', { 'old.bin': OLD })
    },
    act: (station) =>
      station.ask('COPY', `${folderOf(station)}/tree`, {
        headers: { Destination: station.url(`${folderOf(station)}/copy`) },
      }),
    async verify(station, { status }) {
      expect(same(await readTree(station, 'tree'), TREE), 'the source as it was').to.equal(true)
      const look = async () => {
        const copy = await readTree(station, 'copy')
        if (copy === undefined) return 'absent'
        return same(copy, { 'old.bin': OLD }) ? 'old' : same(copy, TREE) ? 'complete' : Object.keys(copy).join()
      }
      if (SUCCESS.has(status)) await assertSettles(look, status, ['complete'])
      else await assertSettles(look, status, ['old', 'complete'], 'absent')
    },
  },
  {
    name: 'DELETE of a folder',
    async prepare(station) {
      fresh(station)
      await plantTree(station, 'tree', TREE)
      await plantTree(station, 'outside', TREE)
      await symlink('../outside', path.join(station.home, folderOf(station), 'tree/link'))
      await mkdir(path.join(station.home, folderOf(station), 'beside'), { recursive: true })
    },
    act: (station) => station.ask('DELETE', `${folderOf(station)}/tree`),
    async verify(station, { status }) {
      expect(same(await readTree(station, 'outside'), TREE), 'what the link leads to').to.equal(true)
      const left = await readTree(station, 'tree')
      if (SUCCESS.has(status)) expect(left, `answered ${status}`).to.equal(undefined)
      for (const [name, bytes] of Object.entries(left ?? {})) expect(bytes.equals(TREE[name] ?? OLD)).to.equal(true)
      // 207 names what stayed.
      if (status === 207) expect(left, 'something stayed').to.not.equal(undefined)
    },
  },
  {
    name: 'PROPFIND',
    async prepare(station) {
      fresh(station)
      await plantTree(station, 'tree', TREE)
    },
    act: (station) => station.ask('PROPFIND', `${folderOf(station)}/tree`, { headers: { Depth: '1' } }),
    verify(_, { status, body }) {
      if (status === 207) expect(namesIn(body.toString()).sort()).to.deep.equal(['a a.bin', 'sub'])
      return Promise.resolve()
    },
  },
]

/** What stands in the folder of the case, as the gateway tells it, is what the disk says; asked twice if it must be. */
export async function assertListed(station: Station): Promise<void> {
  const list = () => station.ask('PROPFIND', folderOf(station), { headers: { Depth: '1' } })
  const earlier = await onDisk(station)
  let answer = await list()
  // On a busy machine a short deadline may pass by itself.
  if (answer.status === 504) answer = await list()
  expect(answer.status, 'the next request').to.equal(207)
  const before = await onDisk(station)
  const told = namesIn(answer.body.toString()).sort()
  // A server may still be doing what a given-up case asked for.
  expect(told).to.be.deep.oneOf([earlier, before, await onDisk(station)])
}

async function onDisk(station: Station): Promise<string[]> {
  const names = await readdir(path.join(station.home, folderOf(station)))
  return names.filter((name) => !name.startsWith('.ftpc-')).sort()
}
