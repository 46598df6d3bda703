import bcrypt from 'bcrypt'
import { expect } from 'chai'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { mock } from 'node:test'
import { Sequelize } from 'sequelize'
import { loadConfig } from '../src/config/config.js'
import { createContext, type Context } from '../src/context.js'
import { SqliteConnection } from '../src/db/sqlite-connection.js'
import { startEmbeddedFtpServer, type EmbeddedFtpServer } from '../src/demo/embedded-ftp-server.js'
import { startEmbeddedSftpServer, type EmbeddedSftpServer } from '../src/demo/embedded-sftp-server.js'
import { createLogger } from '../src/logger.js'
import { FtpTap } from './support/ftp-tap.js'
import { actor, temporaryFolder } from './support/services.js'

const AUTHORIZATION = `Basic ${Buffer.from('anna:password-1').toString('base64')}`

describe('what a request costs', function () {
  this.timeout(60_000)
  let folder: string
  let remove: () => Promise<void>
  let ftp: EmbeddedFtpServer
  let tap: FtpTap
  let sftp: EmbeddedSftpServer
  let context: Context
  let url: string
  const askedBySftp: string[] = []

  before(async () => {
    ;({ folder, remove } = await temporaryFolder())
    for (const name of ['ftp', 'sftp']) {
      await mkdir(join(folder, name, 'dir'), { recursive: true })
      await writeFile(join(folder, name, 'dir', 'a.txt'), 'content')
    }
    const user = (name: string) => ({ username: 'remote1', password: 'remote', root: join(folder, name) })
    ftp = await startEmbeddedFtpServer({ users: [user('ftp')] })
    tap = new FtpTap(ftp.port)
    sftp = await startEmbeddedSftpServer({
      users: [user('sftp')],
      intercept: ({ operation }) => void askedBySftp.push(operation),
    })
    context = await createContext(
      loadConfig({
        FTPCLUSTER_DATA_DIR: join(folder, 'data'),
        FTPCLUSTER_HOST: '127.0.0.1',
        FTPCLUSTER_PORT: '0',
        FTPCLUSTER_ALLOW_NETWORKS: '127.0.0.0/8',
        FTPCLUSTER_MASTER_KEY: Buffer.alloc(32, 3).toString('base64'),
        FTPCLUSTER_ADMIN_PASSWORD: 'admin-of-the-test',
        // What is warm stays warm, however slow the machine is.
        FTPCLUSTER_CACHE_TTL: '10m',
        // Which small files are in memory is a matter of seconds: test/vfs/hot-files.test.ts.
        FTPCLUSTER_CACHE_FILES: '0',
      }),
      createLogger({ level: 'silent' }),
    )
    url = (await context.gateway.start()).url
    const anna = await context.users.create({ username: 'anna', password: 'password-1' }, actor)
    const port = await tap.listen()
    const trust = { fingerprint: sftp.fingerprint }
    const servers = [
      { alias: 'ftp', protocol: 'ftp' as const, host: '127.0.0.1', port },
      { alias: 'sftp', protocol: 'sftp' as const, host: '127.0.0.1', port: sftp.port, trust },
    ]
    for (const server of servers) {
      const { id } = await context.servers.create(server, actor)
      const credentials = { password: 'remote' }
      await context.permissions.grant({ userId: anna.id, serverId: id, remoteUser: 'remote1', credentials }, actor)
      await send(server.alias, 'PROPFIND', 'dir/', { Depth: '1' })
      // Opens the second connection, so that a listing never waits behind a transfer.
      await send(server.alias, 'PUT', 'dir/warm.txt', {}, 'warm')
      await send(server.alias, 'GET', 'dir/warm.txt')
    }
    await quiet()
  })
  after(async () => {
    await context.stop()
    tap.close()
    await Promise.all([ftp.close(), sftp.close()])
    await remove()
  })

  /** Resolves when no login is under way and no connection is lent: a download ends for its client before its last reply. */
  async function quiet(): Promise<void> {
    while (context.connections.stats().servers.some(({ connecting, lent }) => connecting + lent > 0)) {
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  async function send(
    alias: string,
    method: string,
    path: string,
    headers: Record<string, string> = {},
    body?: string,
  ): Promise<number> {
    const init = {
      method,
      headers: { Authorization: AUTHORIZATION, ...headers },
      ...(body === undefined ? {} : { body }),
    }
    const response = await fetch(`${url}/dav/${alias}/${path}`, init)
    await response.arrayBuffer()
    return response.status
  }

  /**
   * What the server was asked for one request. Left out: the CLOSE after a read, which leaves with the next request, and EPSV:
   * in a run of transfers it leaves after the one before, see test/storage/ftp-round-trips.test.ts.
   */
  async function questions(...request: Parameters<typeof send>): Promise<string> {
    await quiet()
    askedBySftp.length = tap.packets.length = 0
    expect(await send(...request)).to.be.below(300)
    await quiet()
    const asked = [...tap.packets.flatMap((packet) => packet.split('+')), ...askedBySftp]
    return asked.filter((operation) => operation !== 'CLOSE' && operation !== 'EPSV').join(' ')
  }

  const destination = (alias: string, path: string) => ({ Destination: `${url}/dav/${alias}/${path}` })

  describe('of an FTP server', () => {
    it('nothing for a listing or a look at what was listed', async () => {
      expect(await questions('ftp', 'PROPFIND', 'dir/', { Depth: '1' })).to.equal('')
      expect(await questions('ftp', 'PROPFIND', 'dir/a.txt', { Depth: '0' })).to.equal('')
      expect(await questions('ftp', 'HEAD', 'dir/a.txt')).to.equal('')
    })

    it('a download is a look and a transfer, a part of it one command more; all of it leaves together', async () => {
      expect(await questions('ftp', 'GET', 'dir/a.txt')).to.equal('MLST RETR')
      expect(tap.packets).to.include('MLST+RETR')
      expect(await questions('ftp', 'GET', 'dir/a.txt', { Range: 'bytes=2-4' })).to.equal('MLST REST RETR')
      expect(tap.packets).to.include('MLST+REST+RETR')
    })

    it('a download of what nobody saw before is a look before that; where there is nothing to send, nothing is asked for', async () => {
      await writeFile(join(folder, 'ftp', 'dir', 'unseen.txt'), 'content')
      expect(await questions('ftp', 'GET', 'dir/unseen.txt')).to.equal('MLST MLST RETR')
      await questions('ftp', 'PUT', 'dir/empty.txt', {}, '')
      expect(await questions('ftp', 'GET', 'dir/empty.txt')).to.equal('MLST')
      const response = await fetch(`${url}/dav/ftp/dir/a.txt`, {
        headers: { Authorization: AUTHORIZATION, Range: 'bytes=7-' },
      })
      expect(response.status).to.equal(416)
      await quiet()
      expect(tap.packets.slice(-1)).to.deep.equal(['MLST'])
    })

    it('a part of another version is not asked for ahead', async () => {
      const headers = { Range: 'bytes=2-4', 'If-Range': '"other"' }
      expect(await questions('ftp', 'GET', 'dir/a.txt', headers)).to.equal('MLST RETR')
    })

    it('an upload is a transfer, a check of the size and a rename, over another file as well', async () => {
      expect(await questions('ftp', 'PUT', 'dir/b.txt', {}, 'new')).to.equal('STOR MLST RNFR RNTO')
      expect(await questions('ftp', 'PUT', 'dir/b.txt', {}, 'other')).to.equal('STOR MLST RNFR RNTO')
    })

    it('a change of names is its commands; a move looks at both names before, a folder is listed before it goes', async () => {
      expect(await questions('ftp', 'MKCOL', 'dir/made')).to.equal('MKD')
      expect(await questions('ftp', 'MOVE', 'dir/b.txt', destination('ftp', 'dir/c.txt'))).to.equal(
        'MLST MLST RNFR RNTO',
      )
      expect(await questions('ftp', 'DELETE', 'dir/c.txt')).to.equal('DELE')
      expect(await questions('ftp', 'DELETE', 'dir/made')).to.equal('CWD MLSD RMD')
    })
  })

  describe('of an SFTP server', () => {
    it('nothing for a listing or a look at what was listed', async () => {
      expect(await questions('sftp', 'PROPFIND', 'dir/', { Depth: '1' })).to.equal('')
      expect(await questions('sftp', 'HEAD', 'dir/a.txt')).to.equal('')
    })

    it('a download is a look and an opening together, and a reading', async () => {
      expect(await questions('sftp', 'GET', 'dir/a.txt')).to.equal('OPEN LSTAT FSTAT READ')
      expect(await questions('sftp', 'GET', 'dir/a.txt', { Range: 'bytes=2-4' })).to.equal('OPEN LSTAT FSTAT READ')
    })

    it('a download that depends on a condition, or of what nobody saw before, is a look before an opening and a reading', async () => {
      const condition = { 'If-None-Match': '"other"' }
      expect(await questions('sftp', 'GET', 'dir/a.txt', condition)).to.equal('LSTAT OPEN LSTAT FSTAT READ')
      await writeFile(join(folder, 'sftp', 'dir', 'unseen.txt'), 'content')
      expect(await questions('sftp', 'GET', 'dir/unseen.txt')).to.equal('LSTAT OPEN LSTAT FSTAT READ')
    })

    it('an upload is a writing, a check of the size and a rename', async () => {
      expect(await questions('sftp', 'PUT', 'dir/b.txt', {}, 'new')).to.equal('OPEN WRITE LSTAT EXTENDED')
    })

    it('a change of names is one request; a move looks at both names before, a folder is listed before it goes', async () => {
      expect(await questions('sftp', 'MKCOL', 'dir/made')).to.equal('MKDIR')
      expect(await questions('sftp', 'MOVE', 'dir/b.txt', destination('sftp', 'dir/c.txt'))).to.equal(
        'LSTAT LSTAT EXTENDED',
      )
      expect(await questions('sftp', 'DELETE', 'dir/c.txt')).to.equal('REMOVE')
      expect(await questions('sftp', 'DELETE', 'dir/made')).to.equal('OPENDIR READDIR READDIR RMDIR')
    })
  })

  it('no bcrypt and no SQL for a warm listing or download', async () => {
    /** What other work of the gateway does at any time: the audit log in batches, the end of an earlier upload. */
    const inBackground = /upload_journal|audit|data_version|revision/i
    const { prototype } = SqliteConnection
    const spies = [
      mock.method(prototype, 'all'),
      mock.method(prototype, 'write'),
      mock.method(Sequelize.prototype, 'query'),
    ]
    const hashes = mock.method(bcrypt, 'compare')
    try {
      for (const alias of ['ftp', 'sftp']) {
        for (let n = 0; n < 5; n++) {
          expect(await send(alias, 'PROPFIND', 'dir/', { Depth: '1' })).to.equal(207)
          expect(await send(alias, 'GET', 'dir/a.txt')).to.equal(200)
        }
      }
    } finally {
      for (const spy of [hashes, ...spies]) spy.mock.restore()
    }
    const statements = spies.flatMap(({ mock }) => mock.calls.map((call) => JSON.stringify(call.arguments[0])))
    expect(hashes.mock.callCount()).to.equal(0)
    expect(statements.filter((sql) => !inBackground.test(sql))).to.deep.equal([])
  })
})
