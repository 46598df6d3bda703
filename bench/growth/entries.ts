import { writeFileSync } from 'node:fs'
import { startLab } from '../../test/lab/lab.js'
import { folderName, inDrive, makeFolder, memberName, onDisk } from '../data.js'
import { Client } from '../drive.js'
import { serverAt, startGateway } from '../stage.js'
import { costOf, type Axis } from './axis.js'

export const entries: Axis = {
  name: 'entries',
  title: 'Entries of a folder (SFTP)',
  what: 'entries',
  measures: [
    { name: 'PROPFIND cold: CPU', unit: 'ms', may: 1, plotted: true },
    { name: 'cold: time', unit: 'ms', may: 1, plotted: true },
    { name: 'warm: CPU', unit: 'ms', may: 1, plotted: true },
    { name: 'warm: time', unit: 'ms', may: 1, plotted: true },
    { name: 'GET of 1 byte in it: CPU', unit: 'ms', may: 0, plotted: true },
    { name: 'PUT of 1 byte in it: CPU', unit: 'ms', may: 0, plotted: true },
    { name: 'memory', unit: 'MiB', may: 1 },
  ],
  async measure(scale, say) {
    const lab = await startLab({ daemons: ['sshd'] })
    const [server, end] = await serverAt(lab, { kind: 'sshd' })
    const gateway = await startGateway([server])
    const client = new Client(gateway)
    try {
      const points = []
      for (const size of scale.entries) {
        const folder = folderName(size)
        await makeFolder(server, folder)
        for (let n = 0; n < size; n++) writeFileSync(onDisk(server, `${folder}/${memberName(n)}`), '1')
        const path = inDrive(gateway.prefix, server, folder) + '/'
        const list = async (headers: Record<string, string>) => {
          const { body } = await client.send({ method: 'PROPFIND', path, headers: { Depth: '1', ...headers } }, 207)
          const found = body.toString().split('</D:response>').length - 1
          if (found !== size + 1) throw new Error(`${found} answers about ${size} entries`)
        }
        const cold = await costOf(gateway, () => list({ 'Cache-Control': 'no-cache' }))
        const warm = await costOf(gateway, () => list({}))
        const member = (n: number) => path + memberName(n % size)
        const get = await costOf(gateway, (n) => client.send({ method: 'GET', path: member(n) }, 200))
        const put = await costOf(gateway, (n) =>
          client.send({ method: 'PUT', path: `${path}new-${n % 10}`, body: '1' }, 201, 204),
        )
        say(`${size} entries`)
        points.push({
          size,
          label: size.toLocaleString('en'),
          values: {
            'PROPFIND cold: CPU': cold.cpu,
            'cold: time': cold.wall,
            'warm: CPU': warm.cpu,
            'warm: time': warm.wall,
            'GET of 1 byte in it: CPU': get.cpu,
            'PUT of 1 byte in it: CPU': put.cpu,
            memory: Math.max(cold.memory, warm.memory),
          },
        })
      }
      return points
    } finally {
      client.close()
      await gateway.stop()
      end()
      await lab.stop()
    }
  },
}
