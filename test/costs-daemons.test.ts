import { expect } from 'chai'
import { loadConfig } from '../src/config/config.js'
import { createContext, type Context } from '../src/context.js'
import { createLogger } from '../src/logger.js'
import { labFor, type Lab } from './lab/lab.js'
import { FtpTap } from './support/ftp-tap.js'
import { actor, temporaryFolder } from './support/services.js'

const DAEMONS = ['proftpd', 'vsftpd', 'pure-ftpd'] as const
const AUTHORIZATION = `Basic ${Buffer.from('anna:password-1').toString('base64')}`

const LOOK = { proftpd: 'MLST', vsftpd: 'SIZE+MDTM', 'pure-ftpd': 'MLST' }

/** A look at what is missing. */
const MISSING = {
  proftpd: 'MLST SIZE',
  vsftpd: 'SIZE+MDTM CWD+CWD CWD+RNFR',
  'pure-ftpd': 'MLST CWD+CWD',
}

/** As `costs.test.ts`, for the servers that people have: each word is a round trip. */
describe('what a request costs on real FTP servers', function () {
  this.timeout(120_000)
  let lab: Lab
  let context: Context
  let remove: () => Promise<void>
  let url: string
  const taps = new Map<string, FtpTap>()

  before(async function () {
    lab = await labFor(this, { daemons: DAEMONS })
    const temporary = await temporaryFolder()
    remove = temporary.remove
    context = await createContext(
      loadConfig({
        FTPCLUSTER_DATA_DIR: temporary.folder,
        FTPCLUSTER_HOST: '127.0.0.1',
        FTPCLUSTER_PORT: '0',
        FTPCLUSTER_ALLOW_NETWORKS: '127.0.0.0/8',
        FTPCLUSTER_MASTER_KEY: Buffer.alloc(32, 3).toString('base64'),
        FTPCLUSTER_ADMIN_PASSWORD: 'admin-of-the-test',
        FTPCLUSTER_CACHE_TTL: '10m',
      }),
      createLogger({ level: 'silent' }),
    )
    url = (await context.gateway.start()).url
    const anna = await context.users.create({ username: 'anna', password: 'password-1' }, actor)
    for (const kind of DAEMONS) {
      const daemon = lab.daemon(kind)
      const tap = new FtpTap(daemon.endpoint.port)
      taps.set(kind, tap)
      const server = { alias: kind, protocol: 'ftp' as const, host: '127.0.0.1', port: await tap.listen() }
      const { id } = await context.servers.create(server, actor)
      const { username, password } = daemon.account('alice')
      await context.permissions.grant(
        { userId: anna.id, serverId: id, remoteUser: username, credentials: { password } },
        actor,
      )
      await send(kind, 'MKCOL', 'dir')
      for (const name of ['a', 'b']) await send(kind, 'PUT', `dir/${name}`, {}, 'content')
    }
  })
  after(async () => {
    await context?.stop()
    for (const tap of taps.values()) tap.close()
    await lab?.stop()
    await remove?.()
  })

  async function send(
    kind: string,
    method: string,
    path: string,
    headers: Record<string, string> = {},
    body?: string,
  ): Promise<number> {
    const init = { method, headers: { Authorization: AUTHORIZATION, ...headers } }
    const response = await fetch(`${url}/dav/${kind}/${path}`, { ...init, ...(body === undefined ? {} : { body }) })
    await response.arrayBuffer()
    return response.status
  }

  /** Resolves when no login is under way and no connection is lent. */
  async function quiet(): Promise<void> {
    while (context.connections.stats().servers.some(({ connecting, lent }) => connecting + lent > 0)) {
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  /** Left out: EPSV, with which the next transfer is prepared. */
  async function roundTrips(status: number, ...request: Parameters<typeof send>): Promise<string> {
    const { packets } = taps.get(request[0]) as FtpTap
    await quiet()
    packets.length = 0
    expect(await send(...request)).to.equal(status)
    return packets
      .map((packet) => packet.replace(/^EPSV\b\+?/, ''))
      .filter((packet) => packet !== '')
      .join(' ')
  }

  for (const kind of DAEMONS) {
    it(`${kind}: sends a file that was listed in one`, async () => {
      await send(kind, 'PUT', 'dir/got', {}, 'content')
      expect(await roundTrips(200, kind, 'GET', 'dir/got')).to.equal(`${LOOK[kind]}+RETR`)
      await send(kind, 'PUT', 'dir/got', {}, 'other content')
      const part = { Range: 'bytes=2-4' }
      expect(await roundTrips(206, kind, 'GET', 'dir/got', part)).to.equal(`${LOOK[kind]}+REST+RETR`)
    })

    const missing = MISSING[kind]
    const to = (path: string) => ({ Destination: `${url}/dav/${kind}/${path}` })

    it(`${kind}: looks at a missing name and at nothing else in its folder`, async () => {
      for (const method of ['GET', 'HEAD', 'PROPFIND']) {
        expect(await roundTrips(404, kind, method, `dir/no-${method}`, { Depth: '0' }), method).to.equal(missing)
      }
    })

    it(`${kind}: makes a folder, and moves a file to a new name`, async () => {
      await send(kind, 'PROPFIND', 'dir/', { Depth: '1' })
      expect(await roundTrips(201, kind, 'MKCOL', 'dir/made')).to.equal('MKD')
      await send(kind, 'MOVE', 'dir/a', to('dir/c'))
      expect(await roundTrips(201, kind, 'MOVE', 'dir/b', to('dir/d'))).to.equal(`${missing} RNFR+RNTO`)
      expect(await roundTrips(412, kind, 'MOVE', 'dir/c', { ...to('dir/d'), Overwrite: 'F' })).to.equal('')
      expect(await roundTrips(204, kind, 'DELETE', 'dir/c')).to.equal('DELE')
    })
  }
})
