import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { Client } from '../drive.js'
import { startGateway } from '../stage.js'
import { costOf, type Axis } from './axis.js'
import { farmLogin, startFarm } from './farm.js'

/** People who keep on asking for the server that does not answer. */
const PATIENT = 4

export const servers: Axis = {
  name: 'servers',
  title: 'Servers, one of which does not answer (FTP)',
  what: 'servers',
  note: 'But for the first point, one server takes connections and never says a word, while four people go on asking for it.',
  measures: [
    { name: 'PROPFIND of the root: CPU', unit: 'ms', may: 1, plotted: true },
    { name: 'PROPFIND, asking the server: CPU', unit: 'ms', may: 0, plotted: true },
    { name: 'PROPFIND, asking the server: time', unit: 'ms', may: 0, plotted: true },
    { name: 'GET 4 KiB: CPU', unit: 'ms', may: 0, plotted: true },
    { name: 'GET 4 KiB: time', unit: 'ms', may: 0, plotted: true },
    { name: 'memory', unit: 'MiB', may: 1 },
  ],
  async measure(scale, say) {
    const farm = await startFarm(Math.max(...scale.servers), 1)
    try {
      await mkdir(path.join(farm.root, 'folder'))
      for (let n = 0; n < 50; n++) await writeFile(path.join(farm.root, 'folder', `${n}.bin`), 'x'.repeat(4096))
      const points = []
      for (const size of scale.servers) {
        const stalled = size > 1 ? [{ name: 'silent', endpoint: farm.silent, login: farmLogin(0) }] : []
        const well = farm.endpoints.slice(0, size - stalled.length)
        const all = well.map((endpoint, n) => ({ name: `server${n}`, endpoint, login: farmLogin(0) }))
        const gateway = await startGateway([...all, ...stalled])
        const client = new Client(gateway)
        const over = new AbortController()
        const waiting = stalled.flatMap(({ name }) =>
          Array.from({ length: PATIENT }, () => ask(new Client(gateway), `${gateway.prefix}${name}/`, over.signal)),
        )
        try {
          const at = (n: number) => `${gateway.prefix}server${n % all.length}/folder/`
          const fresh = { Depth: '1', 'Cache-Control': 'no-cache' }
          const root = await costOf(gateway, () =>
            client.send({ method: 'PROPFIND', path: gateway.prefix, headers: { Depth: '1' } }, 207),
          )
          const list = (n: number) => client.send({ method: 'PROPFIND', path: at(n), headers: fresh }, 207)
          const get = (n: number) => client.send({ method: 'GET', path: `${at(n)}${n % 50}.bin` }, 200)
          const warm = Math.max(200, all.length)
          const listed = await costOf(gateway, list, { warm })
          const fetched = await costOf(gateway, get, { warm })
          say(`${size} servers`)
          points.push({
            size,
            label: String(size),
            values: {
              'PROPFIND of the root: CPU': root.cpu,
              'PROPFIND, asking the server: CPU': listed.cpu,
              'PROPFIND, asking the server: time': listed.wall,
              'GET 4 KiB: CPU': fetched.cpu,
              'GET 4 KiB: time': fetched.wall,
              memory: Math.max(root.memory, listed.memory, fetched.memory),
            },
          })
        } finally {
          over.abort()
          client.close()
          await gateway.stop()
          await Promise.all(waiting)
        }
      }
      return points
    } finally {
      await farm.stop()
    }
  },
}

/** Asks until it is over: each answer must be an error. The end of the gateway ends the last request. */
async function ask(client: Client, path: string, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    try {
      // Someone who mounts a drive does not ask a thousand times a second.
      await new Promise((resolve) => setTimeout(resolve, 100))
      await client.send({ method: 'PROPFIND', path, headers: { Depth: '1' } }, 502, 503, 504)
    } catch (error) {
      if (!over.aborted) throw error
    }
  }
  client.close()
}
