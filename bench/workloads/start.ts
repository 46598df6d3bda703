import { inDrive } from '../data.js'
import { Client } from '../drive.js'
import { median, timed, type Workload } from '../workload.js'

const STARTS = 3

/** From the start of the program to the answer with the first listing, login and connection to the server included. */
export const coldStart: Workload = {
  name: 'start',
  title: 'cold start to the first listing, p50',
  unit: 'ms',
  restarts: true,
  async run({ drive, server }) {
    const times: number[] = []
    for (let n = 0; n < STARTS; n++) {
      await drive.end()
      const client = new Client(drive)
      const seconds = await timed(async () => {
        await drive.serve()
        await client.send({ method: 'PROPFIND', path: inDrive(drive.prefix, server, ''), headers: { Depth: '1' } }, 207)
      })
      client.close()
      times.push(seconds * 1000)
    }
    return { value: median(times), cpu: 0 }
  },
}
