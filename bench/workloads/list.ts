import { folderName, inDrive, memberName } from '../data.js'
import { Client } from '../drive.js'
import { median, timed, type Turn, type Workload } from '../workload.js'

/** What clients ask for; an empty body is allprop. */
const BODIES = {
  allprop: '',
  // Windows asks with an empty body, too; what differs is what it is answered.
  windows: '',
  finder: `<?xml version="1.0" encoding="utf-8"?>
<D:propfind xmlns:D="DAV:">
<D:prop>
<D:getlastmodified/>
<D:getcontentlength/>
<D:creationdate/>
<D:resourcetype/>
</D:prop>
</D:propfind>
`,
} as const

const AGENTS: Partial<Record<keyof typeof BODIES, string>> = {
  windows: 'Microsoft-WebDAV-MiniRedir/10.0.19045',
  finder: 'WebDAVFS/3.0.0 (03008000) Darwin/24.1.0 (arm64)',
}

/** Lists a folder and looks for every member in the answer. */
export async function listFolder(
  client: Client,
  turn: Pick<Turn, 'drive' | 'server'>,
  folder: string,
  members: number,
  ask: keyof typeof BODIES = 'allprop',
): Promise<void> {
  const agent = AGENTS[ask]
  const answer = await client.send(
    {
      method: 'PROPFIND',
      path: inDrive(turn.drive.prefix, turn.server, folder) + '/',
      headers: { Depth: '1', ...(agent === undefined ? {} : { 'User-Agent': agent }) },
      body: BODIES[ask],
    },
    207,
  )
  checks.push({ text: answer.body, folder, members })
}

/** Looked at after the clock has stopped. */
const checks: { text: Buffer; folder: string; members: number }[] = []

function checkListings(): void {
  for (const { text, folder, members } of checks.splice(0)) {
    const hrefs = text.toString().match(/<(?:[A-Za-z]+:)?href>[^<]+</g) ?? []
    const names = new Set(hrefs.map((href) => /([^/>]+)\/?<$/.exec(href)?.[1]))
    if (names.size !== members + 1)
      throw new Error(`${folder}: ${names.size - 1} members were listed instead of ${members}.`)
    for (let n = 0; n < members; n++) {
      if (!names.has(memberName(n))) throw new Error(`${folder}: ${memberName(n)} was not listed.`)
    }
  }
}

function listWarm(entries: number, ask: keyof typeof BODIES): Workload {
  const folder = folderName(entries)
  const times = Math.max(3, Math.min(20, Math.ceil(20_000 / entries)))
  return {
    name: ask === 'allprop' ? `list-${entries}` : `list-${entries}-${ask}`,
    title: `PROPFIND ${entries.toLocaleString('en')} warm${ask === 'allprop' ? '' : `, as ${ask} asks`}`,
    unit: 'ms',
    needs: [entries],
    async before(turn) {
      const client = new Client(turn.drive)
      for (let n = 0; n < 2; n++) await listFolder(client, turn, folder, entries, ask)
      client.close()
      checkListings()
    },
    async run(turn) {
      const client = new Client(turn.drive)
      const taken: number[] = []
      for (let n = 0; n < times; n++) {
        taken.push((await timed(() => listFolder(client, turn, folder, entries, ask))) * 1000)
      }
      client.close()
      return { value: median(taken), requests: times }
    },
    after: () => Promise.resolve(checkListings()),
  }
}

function listCold(entries: number): Workload {
  return {
    name: `list-${entries}-cold`,
    title: `PROPFIND ${entries.toLocaleString('en')} cold`,
    unit: 'ms',
    needs: [entries],
    async before({ drive, server }) {
      // The login and the connection to the server are warm, the folder is not.
      const client = new Client(drive)
      await client.send({ method: 'PROPFIND', path: inDrive(drive.prefix, server, ''), headers: { Depth: '1' } }, 207)
      client.close()
    },
    async run(turn) {
      const client = new Client(turn.drive)
      const places = turn.stage.servers.filter(({ home }) => home === turn.server.home)
      const nth = turn.round * places.length + places.indexOf(turn.server)
      const seconds = await timed(() => listFolder(client, turn, folderName(entries, nth), entries))
      client.close()
      return { value: seconds * 1000, requests: 1 }
    },
    after: () => Promise.resolve(checkListings()),
  }
}

export function listings(sizes: readonly number[]): Workload[] {
  return sizes.flatMap((entries) => [
    listWarm(entries, 'allprop'),
    listWarm(entries, 'windows'),
    listWarm(entries, 'finder'),
    listCold(entries),
  ])
}
