import { expect } from 'chai'
import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { basename, join } from 'node:path'
import { loadConfig } from '../../src/config/config.js'
import { createContext, type Context } from '../../src/context.js'
import { startEmbeddedSftpServer, type EmbeddedSftpServer } from '../../src/demo/embedded-sftp-server.js'
import { createLogger } from '../../src/logger.js'
import { BrowserSession } from '../support/browser-session.js'
import { actor, temporaryFolder } from '../support/services.js'
import { isTemporaryName } from '../../src/vfs/temporary-name.js'
import { eventually } from '../support/upload.js'
import { CASES, PASSWORD, type Case } from './bad-input-cases.js'

/** `latin1`: bytes are sent and received as they are. */
const bytes = (text: string) => Buffer.from(text, 'latin1')

describe('pages, API and /ftp: bad input gets its status, loses nothing, and the process lives', function () {
  this.timeout(30_000)
  let folder: string
  let remove: () => Promise<void>
  let files: string
  let server: EmbeddedSftpServer
  let context: Context
  let port: number
  let cookie: string
  let csrf: string
  const log: string[] = []

  before(async () => {
    ;({ folder, remove } = await temporaryFolder())
    files = join(folder, 'files')
    await mkdir(join(files, 'folder'), { recursive: true })
    await writeFile(join(files, 'kept'), 'kept')
    await writeFile(join(files, 'folder', 'inner'), 'inner')
    const login = { username: 'remote', password: 'geheim' }
    server = await startEmbeddedSftpServer({ users: [{ ...login, root: files }] })
    const config = loadConfig({
      FTPCLUSTER_HOST: '127.0.0.1',
      FTPCLUSTER_PORT: '0',
      FTPCLUSTER_DATA_DIR: join(folder, 'data'),
      FTPCLUSTER_ALLOW_NETWORKS: '127.0.0.0/8',
    })
    const destination = { write: (line: string) => void log.push(line) }
    context = await createContext(config, createLogger({ level: 'debug', destination }))
    const { url, port: chosen } = await context.gateway.start()
    port = chosen
    const { users, servers, permissions } = context
    const trust = { fingerprint: server.fingerprint }
    const endpoint = { alias: 's', protocol: 'sftp', host: '127.0.0.1', port: server.port, trust } as const
    const { id: serverId } = await servers.create(endpoint, actor)
    for (const [username, password, role] of [
      ['root', PASSWORD.root, 'admin'],
      ['user1', PASSWORD.user1, 'user'],
      ['user2', PASSWORD.user2, 'user'],
      ['colon', 'u:p:w:u:p:w', 'user'],
      ['base64', '??>>??>>', 'user'],
      ['utf8', 'pä-pä-pä', 'user'],
    ] as const) {
      const { id: userId } = await users.create({ username, password, role }, actor)
      const credentials = { password: login.password }
      if (username.startsWith('user'))
        await permissions.grant({ userId, serverId, remoteUser: login.username, credentials }, actor)
    }
    const browser = await BrowserSession.loggedIn(url, 'user1', PASSWORD.user1)
    csrf = await browser.csrfToken('/account')
    cookie = [...browser.cookies].map((pair) => pair.join('=')).join('; ')
    // Once for both: from here on their passwords are remembered, and guesses of others cost them nothing.
    for (const as of ['user1', 'root'] as const)
      expect(statusOf(await raw({ row: '', name: '', as, line: 'GET /api/v1/me', status: [] }))).to.equal(200)
  })

  after(async () => {
    await context?.stop()
    await server?.close()
    await remove?.()
  })

  const statusOf = (received: string) => Number(/^HTTP\/1\.1 (?!100)(\d{3})/m.exec(received)?.[1])
  const basic = (username: string, password: string) =>
    `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`

  /** What the gateway sends until it, or this side by `cut`, ends the connection. */
  async function raw({ line, headers = [], body = '', as = 'user1', type, cut }: Case): Promise<string> {
    const who =
      as === 'nobody' ? [] : as === 'session' ? [`Cookie: ${cookie}`] : [`Authorization: ${basic(as, PASSWORD[as])}`]
    const given = headers.map((header) => header.replaceAll('{csrf}', csrf).replaceAll('{cookie}', cookie))
    const filled = body.replaceAll('{csrf}', csrf)
    const framed = given.some((header) => /^(transfer-encoding|content-length)/i.test(header))
    const length = framed ? [] : [`Content-Length: ${Buffer.byteLength(filled, 'latin1')}`]
    const kind = type === undefined ? [] : [`Content-Type: ${type}`]
    const head = [
      `${line} HTTP/1.1`,
      `Host: 127.0.0.1:${port}`,
      'Connection: close',
      ...who,
      ...length,
      ...kind,
      ...given,
    ]
    const socket = connect(port, '127.0.0.1')
    let received = ''
    socket.on('data', (data) => (received += data.toString('latin1')))
    // A refusal may come before everything was sent; what came is judged.
    socket.on('error', () => undefined)
    socket.write(bytes(head.join('\r\n') + '\r\n\r\n' + filled))
    if (cut === 'FIN') socket.end()
    if (cut === 'RST') socket.resetAndDestroy()
    await new Promise((resolve) => socket.once('close', resolve))
    return received
  }

  /** Names and hashes of everything on the server. */
  async function stored(): Promise<string> {
    const names = (await readdir(files, { recursive: true })).sort()
    const hashes = await Promise.all(
      names.map(async (name) =>
        (await stat(join(files, name))).isDirectory()
          ? `${name}/`
          : `${name} ${createHash('sha256')
              .update(await readFile(join(files, name)))
              .digest('hex')}`,
      ),
    )
    return hashes.join('\n')
  }

  async function temporaryLeft(): Promise<boolean> {
    return (await readdir(files, { recursive: true })).some((name) => isTemporaryName(basename(name)))
  }

  /** Everything that admins manage, without what a login changes. */
  async function managed(): Promise<string> {
    const users = (await context.users.list()).map(({ lastLoginAt: _, ...user }) => user)
    return JSON.stringify([users, await context.servers.list(), await context.permissions.list()])
  }

  const lent = () => context.connections.stats().servers.reduce((sum, pool) => sum + pool.lent + pool.waiting, 0)

  for (const bad of CASES) {
    it(`${bad.row} ${bad.name}: ${bad.status.join(' or ')}`, async () => {
      const before = [await stored(), await managed()]
      const received = await raw(bad)
      const status = statusOf(received)
      if (bad.status.length > 0) expect(bad.status, received.slice(0, 600)).to.include(status)
      bad.says?.(received)
      await eventually('every connection is back in its pool', 10, () => Promise.resolve(lent() === 0))
      await eventually('no temporary file is left', 10, async () => !(await temporaryLeft()))
      if (status >= 200 && status < 300 && bad.makes !== undefined) {
        expect(await readFile(join(files, bad.makes), 'utf8')).to.equal(bad.body ?? '')
      } else if (!bad.changes) expect([await stored(), await managed()]).to.deep.equal(before)
      expect(received).not.to.match(/at .+\.[jt]s:\d+|root:x:|node_modules/)
      expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).to.equal(200)
    })
  }

  it('B22 of two PUTs with the same If-Match at once one succeeds, whole', async () => {
    const url = `http://127.0.0.1:${port}/ftp/user1/s/folder/inner`
    const headers = { authorization: basic('user1', PASSWORD.user1) }
    const etag = (await fetch(url, { method: 'HEAD', headers })).headers.get('etag') ?? ''
    const put = (body: string) => fetch(url, { method: 'PUT', body, headers: { ...headers, 'If-Match': etag } })
    const answers = await Promise.all(['one', 'two'].map(put))
    expect(answers.map(({ status }) => status).sort()).to.deep.equal([204, 412])
    const [winner] = answers.flatMap(({ status }, index) => (status === 204 ? [['one', 'two'][index]] : []))
    expect(await readFile(join(files, 'folder', 'inner'), 'utf8')).to.equal(winner)
  })

  it('B46 HEAD has the headers of GET', async () => {
    const url = `http://127.0.0.1:${port}/ftp/user1/s/kept`
    const seen = []
    for (const method of ['GET', 'HEAD']) {
      const response = await fetch(url, { method, headers: { authorization: basic('user1', PASSWORD.user1) } })
      const shown = [...response.headers].filter(
        ([name]) => !['date', 'x-request-id', 'connection', 'keep-alive'].includes(name),
      )
      seen.push([response.status, shown])
      await response.arrayBuffer()
    }
    expect(seen[1]).to.deep.equal(seen[0])
  })

  it('no input was a surprise: nothing was answered 500, nothing is in the log as an error', () => {
    expect(log.filter((line) => (JSON.parse(line) as { level: number }).level >= 50)).to.deep.equal([])
  })
})
