import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { Client, each } from '../drive.js'
import { cpuSeconds, peakMemory } from '../processes.js'
import { startGateway } from '../stage.js'
import { costOf, type Axis } from './axis.js'
import { farmLogin, startFarm } from './farm.js'

const SERVERS = 10
/** Requests under way at the same time, whoever makes them. */
const AT_ONCE = 16

export const users: Axis = {
  name: 'users',
  title: 'Users with a mounted drive (FTP)',
  what: 'users',
  note: 'Each has a login of their own at one of ten servers; the first request opens its connection. Logins to the gateway use cheap hashes here.',
  measures: [
    { name: 'first request: CPU', unit: 'ms', may: 0, plotted: true },
    { name: 'PROPFIND warm: CPU', unit: 'ms', may: 0, plotted: true },
    { name: 'GET 4 KiB: CPU', unit: 'ms', may: 0, plotted: true },
    { name: 'GET 4 KiB: time', unit: 'ms', may: 0, plotted: true },
    { name: 'memory', unit: 'MiB', may: 1 },
  ],
  async measure(scale, say) {
    const farm = await startFarm(SERVERS, Math.max(...scale.users))
    const servers = farm.endpoints.map((endpoint, n) => ({ name: `server${n}`, endpoint, login: farmLogin(0) }))
    const nameFor = (user: number) => `server${user % SERVERS}`
    try {
      await mkdir(path.join(farm.root, 'folder'))
      for (let n = 0; n < 50; n++) await writeFile(path.join(farm.root, 'folder', `${n}.bin`), 'x'.repeat(4096))
      const points = []
      for (const size of scale.users) {
        const gateway = await startGateway(servers, {
          users: size,
          mounts: (user) => [{ name: nameFor(user), login: farmLogin(user) }],
        })
        const people = Array.from({ length: size }, (_, user) => ({ user, client: new Client(gateway, user) }))
        try {
          const folder = (user: number) => `${gateway.prefix}${nameFor(user)}/folder/`
          const list = ({ user, client }: (typeof people)[number]) =>
            client.send({ method: 'PROPFIND', path: folder(user), headers: { Depth: '1' } }, 207)
          const get = ({ user, client }: (typeof people)[number]) =>
            client.send({ method: 'GET', path: `${folder(user)}${user % 50}.bin` }, 200)
          // What the program itself needs to become warm is no user's.
          const [nobody, ...others] = people
          if (nobody) for (let n = 0; n < 200; n++) await list(nobody).then(() => get(nobody))
          const before = cpuSeconds(gateway.pid)
          await each(others, AT_ONCE, list)
          const first = ((cpuSeconds(gateway.pid) - before) * 1000) / others.length
          const everybody = (one: typeof list) => () => each(people, AT_ONCE, one)
          // A single user asks often enough to be told from nothing.
          const warm = await costOf(gateway, everybody(list), { requests: size, most: 1000 })
          const fetched = await costOf(gateway, everybody(get), { requests: size, most: 1000 })
          say(`${size} users`)
          points.push({
            size,
            label: String(size),
            values: {
              ...(others.length > 0 ? { 'first request: CPU': first } : {}),
              'PROPFIND warm: CPU': warm.cpu,
              'GET 4 KiB: CPU': fetched.cpu,
              'GET 4 KiB: time': fetched.wall,
              memory: peakMemory(gateway.pid) / 1024 ** 2,
            },
          })
        } finally {
          for (const { client } of people) client.close()
          await gateway.stop()
        }
      }
      return points
    } finally {
      await farm.stop()
    }
  },
}
