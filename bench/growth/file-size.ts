import { chown, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { startLab } from '../../test/lab/lab.js'
import { checkFile, type Content } from '../content.js'
import { inDrive, makeFolder, onDisk } from '../data.js'
import { Client } from '../drive.js'
import { sizeName } from '../scale.js'
import { settle } from '../settle.js'
import { serverAt, startGateway, type Gateway, type Server } from '../stage.js'
import { costOf, type Axis, type Cost } from './axis.js'

const KINDS = ['sshd', 'vsftpd'] as const
const NAMES = { sshd: 'SFTP', vsftpd: 'FTP' } as const
const ZEROS = Buffer.alloc(1 << 20)

export const fileSize: Axis = {
  name: 'file-size',
  title: 'Size of a file (SFTP, FTP)',
  what: 'size',
  note: 'From 256 MiB on each is sent once, by a server whose kernel has not got the file in memory; smaller ones are sent again and again.',
  measures: [
    ...KINDS.flatMap((kind) => [
      { name: `${NAMES[kind]} GET: CPU`, unit: 'ms' as const, may: 1 as const, plotted: true },
      { name: `${NAMES[kind]} GET: time`, unit: 'ms' as const, may: 1 as const },
      { name: `${NAMES[kind]} PUT: CPU`, unit: 'ms' as const, may: 1 as const, plotted: true },
      { name: `${NAMES[kind]} PUT: time`, unit: 'ms' as const, may: 1 as const },
    ]),
    // From where buffers are full it stays, however large the file.
    { name: 'memory', unit: 'MiB', may: 0 },
  ],
  async measure(scale, say) {
    const lab = await startLab({ daemons: KINDS })
    const servers: Server[] = []
    for (const kind of KINDS) servers.push((await serverAt(lab, { kind }))[0])
    const gateway = await startGateway(servers)
    const client = new Client(gateway)
    try {
      for (const server of servers) {
        await makeFolder(server, 'sizes')
        await warm(gateway, client, server)
      }
      const points = []
      for (const size of scale.bytes) {
        const values: Record<string, number> = { memory: 0 }
        const keep = (name: string, cost: Cost) => {
          values[`${name}: CPU`] = cost.cpu
          values[`${name}: time`] = cost.wall
          values.memory = Math.max(values.memory ?? 0, cost.memory)
        }
        for (const server of servers) {
          const name = server.kind === 'sshd' ? NAMES.sshd : NAMES.vsftpd
          keep(`${name} GET`, await get(gateway, client, server, size))
          keep(`${name} PUT`, await put(gateway, client, server, size))
        }
        say(sizeName(size))
        points.push({ size, label: sizeName(size), values })
      }
      return points
    } finally {
      client.close()
      await gateway.stop()
      await lab.stop()
    }
  },
}

/** Large ones are not repeated. */
const often = (size: number) => (size >= 1 << 28 ? { most: 1, warm: 0 } : {})

/** A file with nothing in it but its size takes no room on the disk. */
async function get(gateway: Gateway, client: Client, server: Server, size: number): Promise<Cost> {
  const file = onDisk(server, `sizes/${size}.bin`)
  await writeFile(file, '')
  await truncate(file, size)
  await chown(file, server.uid, server.uid)
  const path = inDrive(gateway.prefix, server, `sizes/${size}.bin`)
  // The folder is seen anew: somebody else has put the file there.
  const folder = inDrive(gateway.prefix, server, 'sizes/')
  await client.send({ method: 'PROPFIND', path: folder, headers: { Depth: '1', 'Cache-Control': 'no-cache' } }, 207)
  await settle()
  const cost = await costOf(gateway, () => getOnce(client, path, size), often(size))
  await rm(file)
  return cost
}

async function getOnce(client: Client, path: string, size: number): Promise<void> {
  let came = 0
  const sink = (chunk: Buffer) => {
    came += chunk.length
    if (ZEROS.compare(chunk, 0, chunk.length, 0, chunk.length) !== 0) throw new Error('Not what is in the file.')
  }
  await client.send({ method: 'GET', path, sink }, 200)
  if (came !== size) throw new Error(`${came} bytes came instead of ${size}.`)
}

async function put(gateway: Gateway, client: Client, server: Server, size: number): Promise<Cost> {
  const content: Content = { seed: 17, length: size }
  const path = inDrive(gateway.prefix, server, `sizes/new-${size}.bin`)
  const cost = await costOf(gateway, () => client.send({ method: 'PUT', path, body: content }, 201, 204), often(size))
  const file = onDisk(server, `sizes/new-${size}.bin`)
  if ((await stat(file)).size <= 1 << 28) await checkFile(file, content)
  else if ((await stat(file)).size !== size) throw new Error(`${file} has another size than ${size}.`)
  await rm(file)
  return cost
}

async function warm(gateway: Gateway, client: Client, server: Server): Promise<void> {
  const path = inDrive(gateway.prefix, server, 'sizes/warm.bin')
  const content: Content = { seed: 18, length: 1 << 20 }
  for (let n = 0; n < 100; n++) {
    await client.send({ method: 'PUT', path, body: content }, 201, 204)
    await client.send({ method: 'GET', path }, 200)
  }
}
