import { checkFile, type Content } from '../content.js'
import { inDrive, makeFolderIn, onDisk, removeFolder, smallFile, smallName } from '../data.js'
import { Client } from '../drive.js'
import { USERS } from '../stage.js'
import { type Turn, type Workload } from '../workload.js'
import { fetchFile } from './get.js'

const folderOf = ({ id }: Turn, user: number): string => `mixed-${id}/user${user}`

/** What a user saves the n-th time: text of a few pages. */
const saved = (user: number, n: number): Content => ({ seed: 1000 + user * 50 + (n % 50), length: 16_384 })

/** The last save of each user in this turn. */
const last = new Map<number, number>()

/** @returns operations in so many seconds, and in what was under way then */
async function work(turn: Turn, seconds: number): Promise<number> {
  const { drive, server, scale } = turn
  const until = performance.now() + seconds * 1000
  let operations = 0
  const people = Array.from({ length: USERS }, async (_, user) => {
    const client = new Client(drive, user)
    const path = (name: string) => inDrive(drive.prefix, server, name)
    const folder = folderOf(turn, user)
    for (let n = (last.get(user) ?? -1) + 1; performance.now() < until; n++) {
      await client.send({ method: 'PROPFIND', path: path(folder) + '/', headers: { Depth: '1' } }, 207)
      const small = (user * 31 + n) % scale.smallGets
      await fetchFile(client, path(smallName(small)), smallFile(small))
      const file = path(`${folder}/${n % 10}.txt`)
      await client.send({ method: 'PUT', path: file, body: saved(user, n) }, n < 10 ? 201 : 204, 201)
      operations += 3
      last.set(user, n)
    }
    client.close()
  })
  await Promise.all(people)
  return operations
}

/** People at work: each looks into a folder, opens a file and saves one, over and over, on a connection of their own. */
export const mixed: Workload = {
  name: 'mixed',
  needs: ['small'],
  title: '32 users list, open and save',
  unit: 'per s',
  async before(turn) {
    const { drive, server } = turn
    last.clear()
    await makeFolderIn(drive, server, `mixed-${turn.id}`)
    for (let user = 0; user < USERS; user++) {
      await makeFolderIn(drive, server, folderOf(turn, user))
      // Whoever comes for the first time is asked for more than a password that is known already.
      const client = new Client(drive, user)
      await client.send({ method: 'PROPFIND', path: inDrive(drive.prefix, server, ''), headers: { Depth: '0' } }, 207)
      client.close()
    }
    // Both drives have closed connections that were idle, some row or other ago: those of 32 users are open when the clock starts.
    await work(turn, turn.scale.mixedSeconds / 5)
  },
  async run(turn) {
    const started = performance.now()
    const operations = await work(turn, turn.scale.mixedSeconds)
    return { value: operations / ((performance.now() - started) / 1000), requests: operations }
  },
  async after(turn) {
    for (const [user, n] of last) {
      await checkFile(onDisk(turn.server, `${folderOf(turn, user)}/${n % 10}.txt`), saved(user, n))
    }
    await removeFolder(turn.server, `mixed-${turn.id}`)
  },
}
