import { expect } from 'chai'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sqlite3 from 'sqlite3'
import { AuditLog, type AuditRecord } from '../src/audit/audit-log.js'
import { AuditSeal } from '../src/audit/audit-seal.js'
import { loadConfig } from '../src/config/config.js'
import { createContext, type Context } from '../src/context.js'
import { openDatabase } from '../src/db/database.js'
import { openSecrets } from '../src/db/master-key.js'
import { startEmbeddedFtpServer, type EmbeddedFtpServer } from '../src/demo/embedded-ftp-server.js'
import { createLogger } from '../src/logger.js'
import { actor, temporaryFolder } from './support/services.js'

const AUTHORIZATION = `Basic ${Buffer.from('anna:password-1').toString('base64')}`

describe('what the gateway knows of what is done', function () {
  this.timeout(30_000)
  let folder: string
  let remove: () => Promise<void>
  let ftp: EmbeddedFtpServer
  let context: Context
  let url: string
  let lines: string[]
  let permissionId: number

  const config = () =>
    loadConfig({
      FTPCLUSTER_DATA_DIR: join(folder, 'data'),
      FTPCLUSTER_HOST: '127.0.0.1',
      FTPCLUSTER_PORT: '0',
      FTPCLUSTER_ALLOW_NETWORKS: '127.0.0.0/8',
      FTPCLUSTER_MASTER_KEY: Buffer.alloc(32, 3).toString('base64'),
      FTPCLUSTER_ADMIN_PASSWORD: 'admin-of-the-test',
    })

  beforeEach(async () => {
    ;({ folder, remove } = await temporaryFolder())
    await mkdir(join(folder, 'files'))
    ftp = await startEmbeddedFtpServer({
      users: [{ username: 'remote1', password: 'remote', root: join(folder, 'files') }],
    })
    lines = []
    const log = createLogger({ level: 'debug', destination: { write: (line: string) => void lines.push(line) } })
    context = await createContext(config(), log)
    url = (await context.gateway.start()).url
    const user = await context.users.create({ username: 'anna', password: 'password-1' }, actor)
    const server = await context.servers.create(
      { alias: 's1', protocol: 'ftp', host: '127.0.0.1', port: ftp.port },
      actor,
    )
    const permission = await context.permissions.grant(
      { userId: user.id, serverId: server.id, remoteUser: 'remote1', credentials: { password: 'remote' } },
      actor,
    )
    permissionId = permission.id
  })
  afterEach(async () => {
    await context.stop()
    await ftp.close()
    await remove()
  })

  const send = (method: string, path: string, init: RequestInit = {}) =>
    fetch(url + path, {
      ...init,
      method,
      headers: { Authorization: AUTHORIZATION, 'User-Agent': 'test/1', ...(init.headers as Record<string, string>) },
    })

  /** Stops the gateway, and reads what it left. */
  async function afterStop(): Promise<{ events: readonly AuditRecord[]; verified: unknown }> {
    await context.stop()
    const database = await openDatabase({ dataDir: join(folder, 'data') })
    const cipher = await openSecrets(database, config(), () => undefined)
    const audit = new AuditLog(database, new AuditSeal(cipher))
    const events = (await audit.search({ type: 'file.', limit: 1000 })).items.toReversed()
    const verified = await audit.verify()
    await database.close()
    return { events, verified }
  }

  it('is one event for each request on files, with its outcome and the id of the request, after a clean stop', async () => {
    const sent: [method: string, path: string, init?: RequestInit][] = [
      ['PUT', '/dav/s1/a.txt', { body: 'hello' }],
      ['GET', '/dav/s1/a.txt'],
      ['GET', '/ftp/anna/s1/a.txt', { headers: { Range: 'bytes=1-2' } }],
      ['MKCOL', '/dav/s1/d'],
      ['MOVE', '/dav/s1/a.txt', { headers: { Destination: '/dav/s1/d/b.txt' } }],
      ['DELETE', '/dav/s1'],
      ['PROPFIND', '/dav/s1/none', { headers: { Depth: '1' } }],
      ['DELETE', '/dav/s1/d'],
    ]
    const answers: [status: number, id: string | null][] = []
    for (const [method, path, init] of sent) {
      const response = await send(method, path, init)
      await response.arrayBuffer()
      answers.push([response.status, response.headers.get('x-request-id')])
    }
    expect(answers.map(([status]) => status)).to.deep.equal([201, 200, 206, 201, 201, 403, 404, 204])
    const { events, verified } = await afterStop()
    const told = events
      .filter(({ type }) => type !== 'file.looked-at')
      .map(({ type, outcome, requestId, details }) => [type, outcome, requestId, details['bytes'], details['code']])
    expect(told).to.deep.equal([
      ['file.written', 'ok', answers[0]?.[1], 5, undefined],
      ['file.read', 'ok', answers[1]?.[1], 5, undefined],
      ['file.read', 'ok', answers[2]?.[1], 2, undefined],
      ['file.folder-made', 'ok', answers[3]?.[1], undefined, undefined],
      ['file.moved', 'ok', answers[4]?.[1], undefined, undefined],
      ['file.removed', 'refused', answers[5]?.[1], undefined, 'MOUNT_IS_FIXED'],
      ['file.listed', 'failed', answers[6]?.[1], undefined, 'NOT_FOUND'],
      ['file.removed', 'ok', answers[7]?.[1], undefined, undefined],
    ])
    const [written] = events
    expect(written).to.include({ actorName: 'anna', address: '127.0.0.1', objectName: 's1' })
    expect(written?.details).to.include({
      path: '/s1/a.txt',
      remoteUser: 'remote1',
      userAgent: 'test/1',
      via: 'password',
    })
    expect(verified).to.include({ ok: true })
    expect(
      lines.some((line) => line.includes('audit anchor')),
      'the end is anchored',
    ).to.equal(true)
  })

  it('costs no SQL in the path of requests', async () => {
    await writeFile(join(folder, 'files', 'a.txt'), 'hello')
    await (await send('GET', '/dav/s1/a.txt')).arrayBuffer()
    const REQUESTS = 600
    const since = performance.now()
    const statements = await countStatements(async () => {
      for (let index = 0; index < REQUESTS; index += 30) {
        const some = Array.from({ length: 30 }, async () => (await send('GET', '/dav/s1/a.txt')).arrayBuffer())
        await Promise.all(some)
      }
    })
    // By time and not by request: a batch of the queue is four statements in 250 ms, the revision is looked at in 300 ms.
    const allowed = 40 + ((performance.now() - since) / 1000) * 20
    expect(statements).to.be.greaterThan(0).and.lessThan(allowed)
    expect(allowed, 'or else this shows nothing').to.be.lessThan(REQUESTS)
    const { events } = await afterStop()
    expect(events.filter(({ type }) => type === 'file.read')).to.have.length(REQUESTS + 1)
  })

  it('is who is there, what runs, and how far; and an admin can end it', async () => {
    await writeFile(join(folder, 'files', 'big'), Buffer.alloc(64 * 1024 * 1024))
    const controller = new AbortController()
    const response = await send('GET', '/dav/s1/big', { signal: controller.signal })
    const reader = response.body?.getReader()
    await reader?.read()
    const [running] = context.activity.running()
    expect(running).to.deep.include({
      user: 'anna',
      alias: 's1',
      path: '/s1/big',
      kind: 'read',
      total: 64 * 1024 * 1024,
    })
    expect(running?.bytes).to.be.greaterThan(0)
    expect(context.activity.clients()[0]).to.include({ user: 'anna', userAgent: 'test/1', address: '127.0.0.1' })

    expect(context.activity.end(running?.id ?? '', actor)).to.equal(true)
    const drained = (async () => {
      while (!(await reader?.read())?.done);
      return 'whole'
    })()
    expect(await drained.catch(() => 'cut')).to.equal('cut')
    const { events } = await afterStop()
    expect(events.at(-1)).to.include({ type: 'file.read', outcome: 'refused' })
    expect(events.at(-1)?.details['code']).to.equal('ENDED')
  })

  it('is when a permission was used, that its login was refused, and that the server is up all the same', async () => {
    await (await send('PROPFIND', '/dav/s1/', { headers: { Depth: '1' } })).arrayBuffer()
    const [serverId = 0] = context.health.all().keys()
    expect((await context.usage.of([permissionId])).get(permissionId)?.lastUsedAt).to.be.instanceOf(Date)
    expect(context.health.of(serverId)).to.include({ state: 'up' })
    await context.permissions.setCredentials(permissionId, { password: 'wrong' }, actor)
    expect((await send('PROPFIND', '/dav/s1/', { headers: { Depth: '1' } })).status).to.equal(403)
    expect((await context.usage.of([permissionId])).get(permissionId)?.loginRejectedAt).to.be.instanceOf(Date)
    expect(context.health.of(serverId)).to.include({ state: 'up' })
    await context.permissions.setCredentials(permissionId, { password: 'remote' }, actor)
    expect((await send('PROPFIND', '/dav/s1/', { headers: { Depth: '1' } })).status).to.equal(207)
    expect((await context.usage.of([permissionId])).get(permissionId)?.loginRejectedAt).to.equal(undefined)
  })

  it('is told by /metrics, and by /readyz whether it can serve', async () => {
    await (await send('PUT', '/dav/s1/a.txt', { body: 'hello' })).arrayBuffer()
    const text = await (await fetch(`${url}/metrics`)).text()
    for (const line of [
      'ftpcluster_http_requests_total{class="write",status="201"} 1',
      'ftpcluster_transferred_bytes_total{direction="up",server="s1"} 5',
      'ftpcluster_audit_lost_total 0',
    ]) {
      expect(text).to.include(line)
    }
    // The second is the one ahead, if it has logged in already.
    expect(text).to.match(/^ftpcluster_connects_total\{server="s1",result="ok"\} [12]$/m)
    expect((await fetch(`${url}/readyz`)).status).to.equal(200)
  })
})

/** How many statements SQLite runs while `work` does. */
async function countStatements(work: () => Promise<void>): Promise<number> {
  let count = 0
  const statement = sqlite3.Statement.prototype as unknown as Record<'run' | 'all', (...args: unknown[]) => unknown>
  const original = { run: statement.run, all: statement.all }
  for (const name of ['run', 'all'] as const) {
    statement[name] = function (this: unknown, ...args: unknown[]) {
      count++
      return original[name].apply(this, args)
    }
  }
  try {
    await work()
    return count
  } finally {
    Object.assign(statement, original)
  }
}
