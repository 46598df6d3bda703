import { checkFile, type Content } from '../content.js'
import { inDrive, makeFolderIn, onDisk, removeFolder, SMALL } from '../data.js'
import { uploadDirectly } from '../direct.js'
import { Client, each } from '../drive.js'
import { sizeName } from '../scale.js'
import { MB, timed, type Turn, type Workload } from '../workload.js'
import { stat } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'

const folderOf = ({ id }: Pick<Turn, 'id'>): string => `put-${id}`

interface Upload {
  readonly name: string
  readonly content: Content
}

function put(upload: {
  readonly name: string
  readonly title: Workload['title']
  readonly unit: 'MB/s' | 'per s'
  readonly atOnce: number
  readonly files: (turn: Turn) => Upload[]
  /** Waits until the server has the files: for a drive that answers before. */
  readonly untilStored?: boolean
  readonly direct?: Workload['direct']
}): Workload {
  const { name, title, unit, atOnce } = upload
  return {
    name,
    title,
    unit,
    ...(upload.untilStored ? { peer: 'caching' as const } : {}),
    ...(upload.direct ? { direct: upload.direct, needs: ['big'] as const } : {}),
    async before(turn) {
      const { drive, server } = turn
      await makeFolderIn(drive, server, folderOf(turn))
      const client = new Client(drive)
      // rclone answers 404 when several files arrive at once in a folder that it has not seen.
      const folder = inDrive(drive.prefix, server, folderOf(turn)) + '/'
      await client.send({ method: 'PROPFIND', path: folder, headers: { Depth: '1' } }, 207)
      const warming = Array.from({ length: atOnce }, (_, n) => n)
      await each(warming, atOnce, (n) =>
        client.send(
          { method: 'PUT', path: inDrive(drive.prefix, server, `${folderOf(turn)}/warm-${n}`), body: 'warm' },
          201,
        ),
      )
      client.close()
    },
    async run(turn) {
      const { drive, server } = turn
      const files = upload.files(turn)
      const client = new Client(drive)
      let done = 0
      const seconds = await timed(async () => {
        const one = ({ name, content }: Upload) =>
          client.send(
            { method: 'PUT', path: inDrive(drive.prefix, server, `${folderOf(turn)}/${name}`), body: content },
            201,
          )
        done = await each(files, atOnce, one, turn.scale.patience)
        if (upload.untilStored) await Promise.all(files.slice(0, done).map((file) => stored(turn, file)))
      })
      client.close()
      const bytes = files.slice(0, done).reduce((sum, { content }) => sum + content.length, 0)
      const value = unit === 'MB/s' ? bytes / MB / seconds : done / seconds
      return { value, ...(unit === 'MB/s' ? { bytes } : {}), requests: done }
    },
    async after(turn, { requests }) {
      for (const { name, content } of upload.files(turn).slice(0, requests)) {
        await checkFile(onDisk(turn.server, `${folderOf(turn)}/${name}`), content)
      }
      await removeFolder(turn.server, folderOf(turn))
    },
  }
}

async function stored(turn: Turn, { name, content }: Upload): Promise<void> {
  const file = onDisk(turn.server, `${folderOf(turn)}/${name}`)
  const deadline = AbortSignal.timeout(120_000)
  for (;;) {
    const size = await stat(file).then(
      (found) => found.size,
      () => undefined,
    )
    if (size === content.length) return
    if (deadline.aborted) throw new Error(`${file} was not stored within two minutes.`)
    await delay(2)
  }
}

const big = ({ scale }: Turn): Upload[] => [{ name: 'big.bin', content: { seed: 51, length: scale.big } }]
const quarters = ({ scale }: Turn): Upload[] =>
  [0, 1, 2, 3].map((n) => ({ name: `quarter-${n}.bin`, content: { seed: 52 + n, length: scale.quarter } }))
const small = ({ scale }: Turn): Upload[] =>
  Array.from({ length: scale.smallPuts }, (_, n) => ({ name: `${n}.txt`, content: { seed: 200 + n, length: SMALL } }))

export const putBig = put({
  name: 'put',
  title: ({ big }) => `PUT ${sizeName(big)}`,
  unit: 'MB/s',
  atOnce: 1,
  files: big,
  direct: ({ server, scale, stage, id }) => uploadDirectly(stage, server, `direct-${id}.bin`, 'big.bin', scale.big),
})
export const putFour = put({
  name: 'put-4',
  title: ({ quarter }) => `PUT 4 x ${sizeName(quarter)} at once`,
  unit: 'MB/s',
  atOnce: 4,
  files: quarters,
})
export const putCached = put({
  name: 'put-cached',
  title: ({ big }) => `PUT ${sizeName(big)}, until stored; rclone caches writes`,
  unit: 'MB/s',
  atOnce: 1,
  files: big,
  untilStored: true,
})
export const putSmallOne = put({ name: 'put-small-c1', title: 'PUT 4 KiB, c1', unit: 'per s', atOnce: 1, files: small })
export const putSmallMany = put({
  name: 'put-small-c16',
  title: 'PUT 4 KiB, c16',
  unit: 'per s',
  atOnce: 16,
  files: small,
})
export const putSmallCached = put({
  name: 'put-small-cached',
  title: 'PUT 4 KiB, c16, until stored; rclone caches writes',
  unit: 'per s',
  atOnce: 16,
  files: small,
  untilStored: true,
})
