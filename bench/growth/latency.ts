import { writeFileSync } from 'node:fs'
import { startLab } from '../../test/lab/lab.js'
import type { Content } from '../content.js'
import { inDrive, makeFolder, memberName, onDisk, SMALL } from '../data.js'
import { Client, each } from '../drive.js'
import { serverAt, startGateway, type Server } from '../stage.js'
import { fetchFile } from '../workloads/get.js'
import { costOf, type Axis, type Measure, type Cost } from './axis.js'

const KINDS = ['sshd', 'vsftpd'] as const
const NAMES = { sshd: 'SFTP', vsftpd: 'FTP' } as const
const ENTRIES = 1000
const AT_ONCE = 16
const MEASURES = [
  'PROPFIND 1,000 cold',
  'GET 4 KiB',
  'PUT 4 KiB',
  'GET 4 KiB c16',
  'PUT 4 KiB c16',
  'GET 64 MiB',
  'PUT 64 MiB',
] as const

/** Slow rows of a distance are not repeated for long. */
const FEW = { most: 20, warm: 2 }
const REPETITIONS = FEW.most + FEW.warm

/** One for each GET: what is read again comes from memory. */
const SMALL_FILES = REPETITIONS * (1 + AT_ONCE * 2)

export const latency: Axis = {
  name: 'latency',
  title: 'Round trip to the server (SFTP, FTP)',
  what: 'round trip',
  measures: KINDS.flatMap((kind) =>
    MEASURES.map((name): Measure => ({
      name: `${NAMES[kind]} ${name}`,
      unit: 'ms',
      may: 1,
      plotted: name === 'PROPFIND 1,000 cold' || name === 'PUT 4 KiB' || name === 'GET 64 MiB',
    })),
  ),
  async measure(scale, say) {
    const lab = await startLab({ daemons: KINDS })
    const ends: (() => unknown)[] = [() => lab.stop()]
    try {
      const places: { server: Server; roundTrip: number }[] = []
      for (const kind of KINDS)
        for (const roundTrip of scale.latencies) {
          const [server, end] = await serverAt(lab, { kind, ...(roundTrip > 0 ? { roundTrip } : {}) })
          places.push({ server, roundTrip })
          ends.push(end)
        }
      const gateway = await startGateway(places.map(({ server }) => server))
      ends.push(() => gateway.stop())
      const client = new Client(gateway)
      ends.push(() => client.close())
      const content: Content = { seed: 19, length: 64 * 1024 ** 2 }
      const points = []
      for (const roundTrip of scale.latencies) {
        const values: Record<string, number> = {}
        for (const { server } of places.filter((place) => place.roundTrip === roundTrip)) {
          const path = (name: string) => inDrive(gateway.prefix, server, name)
          const keep = (name: (typeof MEASURES)[number], cost: Cost) => {
            values[`${server.kind === 'sshd' ? NAMES.sshd : NAMES.vsftpd} ${name}`] = cost.wall
          }
          await plant(server)
          const list = (folder: string, members: number) => async () => {
            const headers = { Depth: '1', 'Cache-Control': 'no-cache' }
            const { body } = await client.send({ method: 'PROPFIND', path: path(folder), headers }, 207)
            const found = body.toString().split('</D:response>').length - 1
            if (found < members) throw new Error(`${found} answers about ${members} entries`)
          }
          const put = (name: string, body: string | Content) =>
            client.send({ method: 'PUT', path: path(name), body }, 201, 204)
          const small = 'x'.repeat(SMALL)
          const many = (one: (n: number) => Promise<unknown>) => (n: number) =>
            each([...Array(AT_ONCE * 2).keys()], AT_ONCE, (item) => one(n * AT_ONCE * 2 + item))
          const get = (n: number) => client.send({ method: 'GET', path: path(`small/${n}.txt`) }, 200)
          const store = (n: number) => put(`near/${n % 500}.txt`, small)
          const all = { ...FEW, requests: AT_ONCE * 2 }
          await list('near/', 1)()
          keep('PROPFIND 1,000 cold', await costOf(gateway, list('list/', ENTRIES + 1), FEW))
          await list('small/', SMALL_FILES + 1)()
          keep('GET 4 KiB', await costOf(gateway, get, FEW))
          keep('PUT 4 KiB', await costOf(gateway, store, FEW))
          keep(
            'GET 4 KiB c16',
            await costOf(
              gateway,
              many((n) => get(REPETITIONS + n)),
              all,
            ),
          )
          keep('PUT 4 KiB c16', await costOf(gateway, many(store), all))
          keep('PUT 64 MiB', await costOf(gateway, () => put('near/carried.bin', content), { most: 2 }))
          const carried = () => fetchFile(client, path('near/carried.bin'), content)
          keep('GET 64 MiB', await costOf(gateway, carried, { most: 2 }))
          say(server.name)
        }
        points.push({ size: roundTrip, label: `${roundTrip} ms`, values })
      }
      return points
    } finally {
      for (const end of ends.reverse()) await end()
    }
  },
}

async function plant(server: Server): Promise<void> {
  for (const folder of ['near', 'list', 'small']) await makeFolder(server, folder)
  for (let n = 0; n < ENTRIES; n++) writeFileSync(onDisk(server, `list/${memberName(n)}`), '')
  for (let n = 0; n < SMALL_FILES; n++) writeFileSync(onDisk(server, `small/${n}.txt`), 'x'.repeat(SMALL))
}
