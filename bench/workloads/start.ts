import { inDrive } from '../data.js'
import { Client } from '../drive.js'
import { timed, type Workload } from '../workload.js'

/** From the start of the program to the answer with the first listing, login and connection to the server included. */
export const coldStart: Workload = {
  name: 'start',
  title: 'cold start to the first listing',
  unit: 'ms',
  restarts: true,
  async run({ drive, server }) {
    const client = new Client(drive)
    const seconds = await timed(async () => {
      await drive.restart()
      await client.send({ method: 'PROPFIND', path: inDrive(drive.prefix, server, ''), headers: { Depth: '1' } }, 207)
    })
    client.close()
    return { value: seconds * 1000, cpu: 0 }
  },
}
