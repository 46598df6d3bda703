import { inDrive, makeFolderIn, removeFolder, SMALL } from './data.js'
import { Client, each, type Drive } from './drive.js'
import type { Server } from './stage.js'

/** Seconds for each kind of request: on the first server of a protocol, whose code is compiled then, and on others. */
const EACH = { first: 3, others: 0.4 }

/** A drive that is in use has compiled what it runs and is logged in at its servers; `start` is the row for one that is not. */
export async function warmUp(drive: Drive, server: Server, which: keyof typeof EACH): Promise<void> {
  const seconds = EACH[which]
  const folder = `warm-${server.name}-${drive.name}`
  await makeFolderIn(drive, server, folder)
  const client = new Client(drive)
  const path = (name: string) => inDrive(drive.prefix, server, `${folder}/${name}`)
  const list = () => client.send({ method: 'PROPFIND', path: path(''), headers: { Depth: '1' } }, 207)
  await list()
  const body = 'w'.repeat(SMALL)
  const names = Array.from({ length: 4000 }, (_, n) => path(`${n}.txt`))
  const stored = await each(names, 8, (name) => client.send({ method: 'PUT', path: name, body }, 201), seconds)
  const again = Array.from({ length: 10_000 }, (_, n) => names[n % stored] ?? '')
  await each(again, 8, (name) => client.send({ method: 'GET', path: name }, 200), seconds)
  await each(again, 4, list, EACH.others)
  const made = names.slice(0, stored)
  const move = (name: string) =>
    client.send(
      { method: 'MOVE', path: name, headers: { Destination: `http://127.0.0.1:${drive.port}${name}-moved` } },
      201,
    )
  const moved = await each(made, 8, move, seconds / 2)
  const left = [...made.slice(0, moved).map((name) => `${name}-moved`), ...made.slice(moved)]
  await each(left, 8, (name) => client.send({ method: 'DELETE', path: name }, 204), seconds / 2)
  await each(made, 8, (name) => client.send({ method: 'MKCOL', path: `${name}-folder` }, 201), seconds / 2)
  client.close()
  await removeFolder(server, folder)
}
