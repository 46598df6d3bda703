import { checkFile, type Content } from '../content.js'
import { inDrive, makeFolderIn, onDisk, removeFolder } from '../data.js'
import { Client } from '../drive.js'
import type { Request } from '../http-client.js'
import { median, timed, type Turn, type Workload } from '../workload.js'

const FILES = 10
const folderOf = ({ id }: Turn): string => `copy-${id}`
const content = (n: number): Content => ({ seed: 4000 + n, length: 256 * 1024 })

interface Step extends Request {
  readonly status: readonly number[]
}

type Sequence = (path: string, folder: string, body: Content) => Step[]

const XML = { 'Content-Type': 'text/xml; charset="utf-8"' }
/** Stands for the token of the last LOCK. */
const TOKEN = '{T}'

function look(path: string, status: number): Step {
  return { method: 'PROPFIND', path, headers: { Depth: '0' }, status: [status] }
}

function lock(path: string, timeout: string): Step {
  const body =
    '<?xml version="1.0" encoding="utf-8"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype><D:owner><D:href>bench</D:href></D:owner></D:lockinfo>'
  return { method: 'LOCK', path, headers: { ...XML, Timeout: timeout, Depth: '0' }, body, status: [200, 201] }
}

function patch(path: string): Step {
  const time = 'Fri, 15 Jun 2018 12:26:41 GMT'
  const names = ['CreationTime', 'LastAccessTime', 'LastModifiedTime']
  const properties = names.map((name) => `<Z:Win32${name}>${time}</Z:Win32${name}>`).join('')
  const body = `<?xml version="1.0" encoding="utf-8"?><D:propertyupdate xmlns:D="DAV:" xmlns:Z="urn:schemas-microsoft-com:"><D:set><D:prop>${properties}<Z:Win32FileAttributes>00000020</Z:Win32FileAttributes></D:prop></D:set></D:propertyupdate>`
  return { method: 'PROPPATCH', path, headers: { ...XML, If: `(<${TOKEN}>)` }, body, status: [207] }
}

const create = (path: string): Step => ({ method: 'PUT', path, body: '', status: [201] })
const store = (path: string, body: Content): Step => ({
  method: 'PUT',
  path,
  headers: { If: `(<${TOKEN}>)` },
  body,
  // rclone answers 201 each time.
  status: [204, 201],
})
const unlock = (path: string): Step => ({
  method: 'UNLOCK',
  path,
  headers: { 'Lock-Token': `<${TOKEN}>` },
  status: [204],
})

/** What the clients of Windows and macOS send when one file is dropped into the drive; see `test/dav/traces`. */
const SEQUENCES: Record<'windows' | 'finder', Sequence> = {
  windows: (path, folder, body) => [
    ...[look(path, 404), look(folder, 207), create(path), lock(path, 'Second-3600'), patch(path)],
    { method: 'HEAD', path, status: [200] },
    ...[store(path, body), patch(path), unlock(path), look(folder, 207), look(path, 207)],
  ],
  finder: (path, folder, body) => [
    ...[look(path, 404), look(path, 404), create(path), lock(path, 'Second-600')],
    ...[store(path, body), look(path, 207), unlock(path), look(folder, 207)],
  ],
}

function copyIn(client: keyof typeof SEQUENCES): Workload {
  const agent =
    client === 'windows' ? 'Microsoft-WebDAV-MiniRedir/10.0.19045' : 'WebDAVFS/3.0.0 (03008000) Darwin/24.1.0 (arm64)'
  return {
    name: `copy-${client}`,
    title: `one file copied in as ${client === 'windows' ? 'Windows' : 'Finder'} does, p50`,
    unit: 'ms',
    before: (turn) => makeFolderIn(turn.drive, turn.server, folderOf(turn)),
    async run(turn) {
      const { drive, server } = turn
      const http = new Client(drive)
      const times: number[] = []
      for (let n = 0; n < FILES; n++) {
        const folder = inDrive(drive.prefix, server, folderOf(turn)) + '/'
        let token = ''
        const seconds = await timed(async () => {
          for (const { status, ...request } of SEQUENCES[client](`${folder}${n}.bin`, folder, content(n))) {
            const headers = Object.entries({ 'User-Agent': agent, ...request.headers })
            const filled = Object.fromEntries(headers.map(([name, value]) => [name, value.replace(TOKEN, token)]))
            const answer = await http.send({ ...request, headers: filled }, ...status)
            token = answer.headers.get('lock-token')?.slice(1, -1) ?? token
          }
        })
        times.push(seconds * 1000)
      }
      http.close()
      return { value: median(times), requests: http.requests }
    },
    async after(turn) {
      for (let n = 0; n < FILES; n++) await checkFile(onDisk(turn.server, `${folderOf(turn)}/${n}.bin`), content(n))
      await removeFolder(turn.server, folderOf(turn))
    },
  }
}

export const copyAsWindows = copyIn('windows')
export const copyAsFinder = copyIn('finder')
