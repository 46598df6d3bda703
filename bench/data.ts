import { chown, link, mkdir, open, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { writeFileSync } from 'node:fs'
import { bytesOf, chunksOf, type Content } from './content.js'
import { Client, type Drive } from './drive.js'
import type { Scale } from './scale.js'
import type { Server } from './stage.js'
import type { Need } from './workload.js'

/** Folder in the login's home that holds everything, and its path in both drives. */
export const FOLDER = 'bench'

export const SMALL = 4096

/** Files of the read-only data by their path below `FOLDER`. */
export const bigFile = (scale: Scale): Content => ({ seed: 1, length: scale.big })
export const quarterFile = (scale: Scale, n: number): Content => ({ seed: 2 + n, length: scale.quarter })
export const smallFile = (n: number): Content => ({ seed: 100 + n, length: SMALL })
export const SMALL_FOLDER = 'small/'
export const smallName = (n: number): string => `${SMALL_FOLDER}${n}.txt`

/** Names of the members of a folder with `entries` of them. */
export const memberName = (n: number): string => `member-${String(n).padStart(5, '0')}.dat`

/** A folder that is listed again and again, and one for each round that nobody has listed yet. */
export const folderName = (entries: number, round?: number): string =>
  `list-${entries}${round === undefined ? '' : `-cold-${round}`}`

/** Where a path below `FOLDER` lies on this machine. */
export function onDisk(server: Server, name: string): string {
  return path.join(server.home, FOLDER, name)
}

/** Its path in a drive. */
export function inDrive(prefix: string, server: Server, name: string): string {
  return `${prefix}${server.name}/${FOLDER}/${name}`
}

/** Plants what is read, the same on every server: large files are the same inode everywhere. */
export async function prepareData(servers: readonly Server[], scale: Scale, needs: ReadonlySet<Need>): Promise<void> {
  const homes = [...new Map(servers.map((server) => [server.home, server])).values()]
  const shared: [string, Content][] = [
    ...(needs.has('big') ? [['big.bin', bigFile(scale)] satisfies [string, Content]] : []),
    ...(needs.has('quarters') ? [0, 1, 2, 3] : []).map((n): [string, Content] => [
      `quarter-${n}.bin`,
      quarterFile(scale, n),
    ]),
  ]
  for (const [index, server] of homes.entries()) {
    await makeFolder(server, '')
    const first = homes[0]
    for (const [name, content] of shared) {
      if (index === 0 || first === undefined) await writeContent(onDisk(server, name), content)
      else await link(onDisk(first, name), onDisk(server, name))
    }
    await makeFolder(server, SMALL_FOLDER)
    const files = needs.has('small') ? scale.smallGets : 16
    for (let n = 0; n < files; n++) await writeFile(onDisk(server, smallName(n)), bytesOf(smallFile(n)))
    for (const entries of needs) {
      if (typeof entries !== 'number') continue
      const names = [folderName(entries)]
      // A round of each distance lists folders of its own.
      const places = servers.filter(({ home }) => home === server.home).length
      for (let round = 0; round < scale.rounds * places; round++) names.push(folderName(entries, round))
      for (const name of names) {
        await makeFolder(server, name)
        for (let n = 0; n < entries; n++) writeFileSync(onDisk(server, `${name}/${memberName(n)}`), '')
      }
    }
  }
}

/** A folder in which the login may write. */
export async function makeFolder(server: Server, name: string): Promise<void> {
  await mkdir(onDisk(server, name), { recursive: true })
  await chown(onDisk(server, name), server.uid, server.uid)
}

/** A new folder that the drive itself makes: rclone does not see for minutes what others do in a folder that it knows. */
export async function makeFolderIn(drive: Drive, server: Server, name: string): Promise<void> {
  const client = new Client(drive)
  await client.send({ method: 'MKCOL', path: inDrive(drive.prefix, server, name) }, 201)
  client.close()
}

export async function removeFolder(server: Server, name: string): Promise<void> {
  await rm(onDisk(server, name), { recursive: true, force: true })
}

async function writeContent(file: string, content: Content): Promise<void> {
  const handle = await open(file, 'w')
  try {
    for (const chunk of chunksOf(content, 1 << 20)) await handle.writev([chunk])
  } finally {
    await handle.close()
  }
}
