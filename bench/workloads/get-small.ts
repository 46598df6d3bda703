import { utimesSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { bytesOf } from '../content.js'
import { inDrive, makeFolderIn, onDisk, removeFolder, SMALL_FOLDER, smallFile, smallName } from '../data.js'
import { Client, each, timedEach, type Drive } from '../drive.js'
import type { Server } from '../stage.js'
import { type Result, type Turn, type Workload } from '../workload.js'
import { fetchFile } from './get.js'

async function getMany({ drive, server, scale }: Turn, atOnce: number, at: (n: number) => Place): Promise<Result> {
  const client = new Client(drive)
  const numbers = Array.from({ length: scale.smallGets }, (_, n) => n)
  const one = (n: number) => fetchFile(client, inDrive(drive.prefix, server, at(n).name), smallFile(at(n).file))
  const { done, seconds } = await timedEach(numbers, atOnce, one, scale.patience)
  client.close()
  return { value: done / seconds, requests: done }
}

interface Place {
  readonly name: string
  readonly file: number
}

async function look(turn: Turn, folder: string): Promise<void> {
  const client = new Client(turn.drive)
  const path = inDrive(turn.drive.prefix, turn.server, folder)
  await client.send({ method: 'PROPFIND', path, headers: { Depth: '1' } }, 207)
  client.close()
}

/** Files that nobody has read through this drive, in a folder that was listed a moment ago. */
function getFirst(atOnce: number): Workload {
  const folderOf = ({ id }: Turn): string => `first-${id}/`
  return {
    name: `get-small-c${atOnce}`,
    needs: ['small'],
    title: `GET 4 KiB, c${atOnce}`,
    unit: 'per s',
    async before(turn) {
      const { drive, server, scale } = turn
      await makeFolderIn(drive, server, folderOf(turn))
      const yesterday = Date.now() / 1000 - 86_400
      for (let n = 0; n < scale.smallGets + atOnce; n++) {
        const file = onDisk(server, `${folderOf(turn)}${n}.txt`)
        writeFileSync(file, bytesOf(smallFile(n)))
        utimesSync(file, yesterday, yesterday)
      }
      // Those that are not measured, for a second: both drives have their connections then.
      const client = new Client(drive)
      const others = Array.from({ length: 10_000 }, (_, n) => scale.smallGets + (n % atOnce))
      const read = (n: number) =>
        fetchFile(client, inDrive(drive.prefix, server, `${folderOf(turn)}${n}.txt`), smallFile(n))
      await each(others, atOnce, read, 1)
      client.close()
      await look(turn, folderOf(turn))
    },
    run: (turn) => getMany(turn, atOnce, (n) => ({ name: `${folderOf(turn)}${n}.txt`, file: n })),
    after: (turn) => removeFolder(turn.server, folderOf(turn)),
  }
}

/** Of the files that are read again. */
const AGAIN = 200

/** Times are told in seconds, where there is no MLSD in minutes: so much later nothing can have changed unseen. Milliseconds. */
const toldApart = ({ kind }: Server): number => (kind === 'vsftpd' ? 61_500 : 2_500)

/** When each drive had read the files of a server for the first time. */
const firstRead = new WeakMap<Drive, Map<Server, number>>()

async function readAll(drive: Drive, server: Server): Promise<void> {
  const client = new Client(drive)
  const numbers = Array.from({ length: AGAIN }, (_, n) => n)
  await each(numbers, 4, (n) => fetchFile(client, inDrive(drive.prefix, server, smallName(n)), smallFile(n)))
  client.close()
}

/** Files that the user has read before, some seconds after their folder was seen. */
function getAgain(atOnce: number): Workload {
  return {
    name: `get-small-again-c${atOnce}`,
    needs: ['small'],
    title: `GET 4 KiB again, c${atOnce}`,
    unit: 'per s',
    async start(drive, server) {
      const times = firstRead.get(drive) ?? new Map<Server, number>()
      firstRead.set(drive, times)
      if (times.has(server)) return
      await readAll(drive, server)
      times.set(server, performance.now())
    },
    async before(turn) {
      const { drive, server } = turn
      const since = firstRead.get(drive)?.get(server) ?? 0
      await delay(Math.max(0, since + toldApart(server) - performance.now()))
      await look(turn, SMALL_FOLDER)
      await readAll(drive, server)
    },
    run: (turn) => getMany(turn, atOnce, (n) => ({ name: smallName(n % AGAIN), file: n % AGAIN })),
  }
}

export const getSmallRows = [1, 16].flatMap((atOnce) => [getFirst(atOnce), getAgain(atOnce)])
