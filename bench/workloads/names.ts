import { chown, readdir, writeFile } from 'node:fs/promises'
import { inDrive, makeFolderIn, onDisk, removeFolder } from '../data.js'
import { Client, each, timedEach } from '../drive.js'
import { type Turn, type Workload } from '../workload.js'

const folderOf = ({ id }: Turn): string => `names-${id}`
const namesOf = ({ scale }: Turn): string[] => Array.from({ length: scale.names }, (_, n) => `n-${n}`)

function onNames(workload: {
  readonly name: string
  readonly title: string
  readonly atOnce: number
  /** Whether the names stand there before. */
  readonly planted: boolean
  readonly one: (client: Client, path: string, turn: Turn) => Promise<unknown>
  /** What the folder must hold in the end: of the names that were worked on, and of the rest. */
  readonly left: (done: readonly string[], rest: readonly string[]) => string[]
}): Workload {
  const { name, title, atOnce } = workload
  return {
    name,
    title,
    unit: 'per s',
    async before(turn) {
      const { drive, server } = turn
      await makeFolderIn(drive, server, folderOf(turn))
      if (workload.planted) {
        for (const name of namesOf(turn)) {
          const file = onDisk(server, `${folderOf(turn)}/${name}`)
          await writeFile(file, name)
          await chown(file, server.uid, server.uid)
        }
      }
      const client = new Client(drive)
      const path = inDrive(drive.prefix, server, folderOf(turn)) + '/'
      await each(
        Array.from({ length: atOnce }, () => path),
        atOnce,
        (path) => client.send({ method: 'PROPFIND', path, headers: { Depth: '1' } }, 207),
      )
      client.close()
    },
    async run(turn) {
      const { drive, server } = turn
      const client = new Client(drive)
      const names = namesOf(turn)
      const one = (name: string) =>
        workload.one(client, inDrive(drive.prefix, server, `${folderOf(turn)}/${name}`), turn)
      const { done, seconds } = await timedEach(names, atOnce, one, turn.scale.patience)
      client.close()
      return { value: done / seconds, requests: done }
    },
    async after(turn, { requests }) {
      const folder = onDisk(turn.server, folderOf(turn))
      const found = (await readdir(folder)).sort()
      const wanted = workload.left(namesOf(turn).slice(0, requests), namesOf(turn).slice(requests)).sort()
      if (found.join() !== wanted.join()) throw new Error(`${folder} holds ${found.join(' ').slice(0, 200)}`)
      await removeFolder(turn.server, folderOf(turn))
    },
  }
}

export const move = onNames({
  name: 'move',
  title: 'MOVE of a file, c1',
  atOnce: 1,
  planted: true,
  one: (client, path) => {
    const destination = `http://127.0.0.1:${client.drive.port}${path}-moved`
    return client.send({ method: 'MOVE', path, headers: { Destination: destination, Overwrite: 'F' } }, 201)
  },
  left: (done, rest) => [...done.map((name) => `${name}-moved`), ...rest],
})

export const makeCollection = onNames({
  name: 'mkcol',
  title: 'MKCOL, c1',
  atOnce: 1,
  planted: false,
  one: (client, path) => client.send({ method: 'MKCOL', path }, 201),
  left: (done) => [...done],
})

export const remove = onNames({
  name: 'delete',
  title: 'DELETE of a file, c16',
  atOnce: 16,
  planted: true,
  one: (client, path) => client.send({ method: 'DELETE', path }, 204),
  left: (_, rest) => [...rest],
})
