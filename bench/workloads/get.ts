import { bigFile, inDrive, quarterFile, SMALL_FOLDER, smallFile, smallName } from '../data.js'
import { Check, type Content } from '../content.js'
import { Client, each, patiently, timedEach } from '../drive.js'
import { downloadDirectly } from '../direct.js'
import { sizeName } from '../scale.js'
import { MB, median, timed, type Turn, type Workload } from '../workload.js'

/** Reads a file, or a part, and compares every byte. */
export async function fetchFile(
  client: Client,
  path: string,
  content: Content,
  range?: { start: number; length: number },
): Promise<void> {
  const headers = range && { Range: `bytes=${range.start}-${range.start + range.length - 1}` }
  await patiently(client.drive, async () => {
    const check = new Check(content, range?.start, range?.length)
    await client.send({ method: 'GET', path, ...(headers ? { headers } : {}), sink: check.take }, range ? 206 : 200)
    check.end()
  })
}

/** Opens what is open in a drive that is in use: the login, connections to the server, the folder that the user looks at. */
async function warm({ drive, server }: Turn, connections: number): Promise<void> {
  const client = new Client(drive)
  const names = Array.from({ length: connections }, (_, n) => n)
  await each(names, connections, (n) => fetchFile(client, inDrive(drive.prefix, server, smallName(n)), smallFile(n)))
  const folder = inDrive(drive.prefix, server, SMALL_FOLDER)
  await client.send({ method: 'PROPFIND', path: folder, headers: { Depth: '1' } }, 207)
  client.close()
}

export const getBig: Workload = {
  name: 'get',
  needs: ['big'],
  title: ({ big }) => `GET ${sizeName(big)}`,
  unit: 'MB/s',
  before: (turn) => warm(turn, 1),
  async run({ drive, server, scale }) {
    const client = new Client(drive)
    const content = bigFile(scale)
    const seconds = await timed(() => fetchFile(client, inDrive(drive.prefix, server, 'big.bin'), content))
    client.close()
    return { value: content.length / MB / seconds, bytes: content.length, requests: 1 }
  },
  direct: ({ server, scale, stage }) => downloadDirectly(stage, server, 'big.bin', scale.big),
}

export const getFour: Workload = {
  name: 'get-4',
  needs: ['quarters'],
  title: ({ quarter }) => `GET 4 x ${sizeName(quarter)} at once`,
  unit: 'MB/s',
  before: (turn) => warm(turn, 4),
  async run({ drive, server, scale }) {
    const client = new Client(drive)
    const seconds = await timed(() =>
      each([0, 1, 2, 3], 4, (n) =>
        fetchFile(client, inDrive(drive.prefix, server, `quarter-${n}.bin`), quarterFile(scale, n)),
      ),
    )
    client.close()
    const bytes = scale.quarter * 4
    return { value: bytes / MB / seconds, bytes, requests: 4 }
  },
}

export const getRange: Workload = {
  name: 'range',
  needs: ['big'],
  title: ({ rangeAt }) => `ranged GET 1 MiB at ${sizeName(rangeAt)}, p50`,
  unit: 'ms',
  before: (turn) => warm(turn, 1),
  async run({ drive, server, scale }) {
    const client = new Client(drive)
    const length = 1 << 20
    const times: number[] = []
    const path = inDrive(drive.prefix, server, 'big.bin')
    const once = async (n: number) => {
      const range = { start: scale.rangeAt + n * 4099, length }
      times.push((await timed(() => fetchFile(client, path, bigFile(scale), range))) * 1000)
    }
    await each([...Array(15).keys()], 1, once, scale.patience)
    client.close()
    return { value: median(times), bytes: length * times.length, requests: times.length }
  },
}

export const getRanges: Workload = {
  name: 'ranges',
  needs: ['big'],
  title: 'random ranges of 64 KiB',
  unit: 'per s',
  before: (turn) => warm(turn, 1),
  async run({ drive, server, scale, round }) {
    const client = new Client(drive)
    const length = 64 * 1024
    // The same places for both drives, others in each round.
    const starts = Array.from(
      { length: scale.ranges },
      (_, n) => ((n + 1) * 104_729 * (round + 7) * 31) % (scale.big - length),
    )
    const path = inDrive(drive.prefix, server, 'big.bin')
    const one = (start: number) => fetchFile(client, path, bigFile(scale), { start, length })
    const { done, seconds } = await timedEach(starts, 1, one, scale.patience)
    client.close()
    return { value: done / seconds, bytes: length * done, requests: done }
  },
}
