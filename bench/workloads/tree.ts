import { mkdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { Rclone } from '../../test/support/rclone.js'
import { bytesOf, checkFile, type Content } from '../content.js'
import { inDrive, makeFolderIn, onDisk, removeFolder } from '../data.js'
import { timed, type Result, type Turn, type Workload } from '../workload.js'

/**
 * Each is copied by an rclone of its own, all at once: one alone asks for at most 100 things a second, whatever the drive
 * could do.
 */
const FOLDERS = 8
/** As rclone is used: `serve webdav` refuses some of its requests with 423. */
const RETRIES = ['--retries', '3', '--low-level-retries', '10']
const content = (n: number): Content => ({ seed: 3000 + n, length: 1024 + ((n * 977) % 8192) })
const nameOf = (n: number): string => `folder-${n % FOLDERS}/file-${n}.txt`
const folderOf = ({ id }: Turn): string => `tree-${id}`
const files = ({ scale }: Turn): number[] => Array.from({ length: scale.treeFiles }, (_, n) => n)

async function plant(turn: Turn, base: string): Promise<void> {
  for (let n = 0; n < FOLDERS; n++) await mkdir(path.join(base, `folder-${n}`), { recursive: true })
  for (const n of files(turn)) await writeFile(path.join(base, nameOf(n)), bytesOf(content(n)))
}

async function checkTree(turn: Turn, base: string): Promise<void> {
  for (const n of files(turn)) await checkFile(path.join(base, nameOf(n)), content(n))
}

/** The folder as `rclone` the client reaches it through either drive: by plain WebDAV. */
async function clientOf({ drive, server, ...turn }: Turn): Promise<Rclone> {
  const [username = '', password = ''] = Buffer.from(drive.authorization().slice('Basic '.length), 'base64')
    .toString()
    .split(':')
  const url = `http://127.0.0.1:${drive.port}${inDrive(drive.prefix, server, folderOf({ drive, server, ...turn }))}`
  return Rclone.on({ url, username, password }, 'other')
}

/** All folders, by as many clients. @returns files per second */
async function copyAll(turn: Turn, from: (folder: string) => string, to: (folder: string) => string): Promise<Result> {
  const rclone = await clientOf(turn)
  const folders = Array.from({ length: FOLDERS }, (_, n) => `folder-${n}`)
  const seconds = await timed(() =>
    Promise.all(folders.map((folder) => rclone.must('copy', ...RETRIES, from(folder), to(folder)))),
  )
  return { value: turn.scale.treeFiles / seconds, requests: turn.scale.treeFiles }
}

const local = (turn: Turn, what: string): string => path.join(turn.stage.lab.scratch, `${folderOf(turn)}-${what}`)

export const treeUp: Workload = {
  name: 'tree-up',
  title: ({ treeFiles }) => `${treeFiles} small files up, ${FOLDERS} rclone copy at once`,
  unit: 'per s',
  async before(turn) {
    await makeFolderIn(turn.drive, turn.server, folderOf(turn))
    await plant(turn, local(turn, 'up'))
  },
  run: (turn) =>
    copyAll(
      turn,
      (folder) => path.join(local(turn, 'up'), folder),
      (folder) => `drive:${folder}`,
    ),
  async after(turn) {
    await checkTree(turn, onDisk(turn.server, folderOf(turn)))
    await rm(local(turn, 'up'), { recursive: true })
    await removeFolder(turn.server, folderOf(turn))
  },
}

export const treeDown: Workload = {
  name: 'tree-down',
  title: ({ treeFiles }) => `${treeFiles} small files down, ${FOLDERS} rclone copy at once`,
  unit: 'per s',
  async before(turn) {
    await makeFolderIn(turn.drive, turn.server, folderOf(turn))
    await plant(turn, onDisk(turn.server, folderOf(turn)))
  },
  run: (turn) =>
    copyAll(
      turn,
      (folder) => `drive:${folder}`,
      (folder) => path.join(local(turn, 'down'), folder),
    ),
  async after(turn) {
    await checkTree(turn, local(turn, 'down'))
    await rm(local(turn, 'down'), { recursive: true })
    await removeFolder(turn.server, folderOf(turn))
  },
}
