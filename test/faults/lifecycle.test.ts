import { expect } from 'chai'
import { once } from 'node:events'
import { open, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import path from 'node:path'
import sqlite3 from 'sqlite3'
import { unpackedRoot } from '../lab/packages.js'
import { PASSWORD, USER } from '../support/drive.js'
import { GatewayProcess } from '../support/gateway.js'
import { contentOf, eventually, temporaryFilesIn, versionOf } from '../support/upload.js'
import { row } from './lab/figures.js'
import { ask } from './lab/http-client.js'
import { closed, rawRequest } from './lab/raw-client.js'
import { Rig, TENTHS } from './lab/rig.js'

const SIZE = 8 * 1024 * 1024
const FILE = 'file.bin'
const DEPTH = { Depth: '1' }
/** Node evaluates this before the gateway: one signal for each mistake that a programmer could make. */
const MISTAKES = [
  "process.on('SIGUSR2',()=>{Promise.reject(new(Error)('planted-rejection'))})",
  "process.on('SIGWINCH',()=>{setImmediate(()=>{throw(new(Error)('planted-exception'))})})",
].join(';')

describe('the life of a gateway', function () {
  this.timeout(240_000)
  let rig: Rig

  before(async function () {
    rig = await Rig.start(this, {
      daemons: ['vsftpd', 'sshd'],
      smallDisk: 4 * 1024 * 1024,
      env: { NODE_OPTIONS: `--import=data:text/javascript,${MISTAKES}` },
    })
  })

  after(() => rig?.stop())

  /** A further gateway over the same servers. */
  async function another<T>(
    options: NonNullable<Parameters<typeof GatewayProcess.start>[1]>,
    work: (gateway: GatewayProcess) => Promise<T>,
  ): Promise<T> {
    const gateway = await GatewayProcess.start(rig.cluster, { ...options, env: { ...TENTHS, ...options.env } })
    try {
      return await work(gateway)
    } finally {
      await gateway.stop()
    }
  }

  async function assertServes(gateway: GatewayProcess): Promise<void> {
    for (const alias of ['vsftpd', 'sshd']) {
      const answer = await ask({ method: 'PROPFIND', url: gateway.dav(alias), headers: DEPTH })
      expect(answer.status, alias).to.equal(207)
    }
  }

  row(23, 'SIGTERM lets what can end in time end, cuts the rest, and leaves nothing behind', async (notes) => {
    const { gateway } = rig
    const contents = new Map<string, Buffer>()
    for (const [i, station] of rig.stations.entries()) {
      contents.set(station.alias, versionOf(i, SIZE))
      await station.plant(FILE, versionOf(i, SIZE))
    }
    const half = connect(gateway.port, '127.0.0.1').on('error', () => undefined)
    await once(half, 'connect')
    half.write('GET / HTTP/1.1\r\nHost: x\r\n')
    const idle = connect(gateway.port, '127.0.0.1').on('error', () => undefined)
    await once(idle, 'connect')
    idle.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    await once(idle, 'data')

    let release!: () => void
    const released = new Promise<void>((resolve) => (release = resolve))
    let reading = 0
    const downloads = rig.stations.map((station) => {
      const hold = (bytes: number) => (bytes < 200_000 ? reading++ : undefined)
      return station.ask('GET', FILE, {
        onBytes: (bytes) => {
          hold(bytes)
          return released
        },
      })
    })
    const uploads: Socket[] = []
    for (const station of rig.stations) {
      const socket = await rawRequest(station.url(FILE), 'PUT', [`Content-Length: ${SIZE}`])
      socket.write(Buffer.alloc(100_000))
      uploads.push(socket)
      await eventually('the upload begins', 10, async () => (await temporaryFilesIn(station.home)).length > 0)
    }
    await eventually('the downloads begin', 10, () => Promise.resolve(reading >= rig.stations.length))

    const idleClosed = once(idle.resume(), 'close')
    const started = performance.now()
    process.kill(gateway.pid, 'SIGTERM')
    const end = gateway.ended()
    await idleClosed
    notes.within('idle connection closed after', performance.now() - started, 1_500)
    const late = await ask({ method: 'GET', url: `${gateway.url}/` })
    expect(late.status, 'a new connection while it stops').to.equal('cut')
    half.write('\r\n')
    const refused = await closed(half)
    expect(refused, 'a request while it stops, on a connection from before').to.match(/^HTTP\/1\.1 503 /)
    expect(refused).to.match(/^Retry-After: \d+\r$/im)
    release()
    for (const [i, download] of downloads.entries()) {
      const { whole, body } = await download
      const expected = contents.get(rig.stations[i]?.alias ?? '')
      expect(whole && expected?.equals(body), 'a download that ends in time').to.equal(true)
    }
    await Promise.all(uploads.map(closed))
    expect(await end).to.equal(0)
    notes.within('ended with 0 after', performance.now() - started, 3_000 + 2_000)
    for (const { alias, home } of rig.stations) {
      expect((await contentOf(path.join(home, FILE))).equals(contents.get(alias) ?? Buffer.alloc(0))).to.equal(true)
      expect(await temporaryFilesIn(home), `left on ${alias}`).to.deep.equal([])
    }
    await gateway.serve()
    await assertServes(gateway)
  })

  row(24, 'a second signal ends it at once with 1, and the next start cleans up', async (notes) => {
    const { gateway } = rig
    const [station] = rig.stations
    if (station === undefined) throw new Error('a station')
    const old = versionOf(7, SIZE)
    await station.plant(FILE, old)
    const socket = await rawRequest(station.url(FILE), 'PUT', [`Content-Length: ${SIZE}`])
    socket.write(Buffer.alloc(100_000))
    await eventually('the upload begins', 10, async () => (await temporaryFilesIn(station.home)).length > 0)
    const end = gateway.ended()
    const said = gateway.log.length
    process.kill(gateway.pid, 'SIGTERM')
    const stops = () => gateway.log.slice(said).includes('a second signal ends them')
    await eventually('it stops', 5, () => Promise.resolve(stops()))
    const started = performance.now()
    process.kill(gateway.pid, 'SIGTERM')
    expect(await end).to.equal(1)
    notes.within('ended with 1 after', performance.now() - started, 1_500)
    const restart = performance.now()
    await gateway.serve()
    notes.atMost('serving again after', performance.now() - restart, 30_000)
    await eventually('no temporary file', 30, async () => (await temporaryFilesIn(station.home)).length === 0)
    expect((await contentOf(path.join(station.home, FILE))).equals(old)).to.equal(true)
  })

  row(42, 'a rejection that nobody handled is a line in the log', async () => {
    const { gateway } = rig
    process.kill(gateway.pid, 'SIGUSR2')
    await eventually('it is told', 5, () => Promise.resolve(gateway.log.includes('planted-rejection')))
    await assertServes(gateway)
  })

  row(
    42,
    'an exception that nobody caught ends the process with a line in the log, and it starts again',
    async (notes) => {
      const { gateway } = rig
      const end = gateway.ended()
      process.kill(gateway.pid, 'SIGWINCH')
      expect(await end).to.equal(1)
      await eventually('it is told', 5, () => Promise.resolve(gateway.log.includes('planted-exception')))
      const started = performance.now()
      await gateway.serve()
      notes.atMost('serving again after', performance.now() - started, 30_000)
      await assertServes(gateway)
    },
  )

  row(25, 'with the database locked by another process, reads go on and writes are answered 503', async (notes) => {
    const { gateway } = rig
    const [station] = rig.stations
    if (station === undefined) throw new Error('a station')
    await station.plant(FILE, 'old')
    await assertServes(gateway)
    const other = new sqlite3.Database(path.join(gateway.folder, 'data/ftpcluster.sqlite'))
    await run(other, 'BEGIN EXCLUSIVE')
    try {
      expect((await station.ask('GET', FILE)).body.toString()).to.equal('old')
      await assertServes(gateway)
      const put = await station.ask('PUT', FILE, { body: 'new' })
      expect(put.status).to.equal(503)
      expect(Number(put.headers['retry-after'])).to.be.within(1, 60)
      notes.atMost('PUT: 503 after', put.ms, 5_000 + 20_000)
      expect((await contentOf(path.join(station.home, FILE))).toString()).to.equal('old')
      const login = await ask({ method: 'PROPFIND', url: `${gateway.url}/dav/`, auth: `${USER}:wrong`, headers: DEPTH })
      expect(login.status, 'a wrong login').to.be.oneOf([401, 503])
    } finally {
      await run(other, 'ROLLBACK')
      await new Promise((resolve) => other.close(resolve))
    }
    expect((await station.ask('PUT', FILE, { body: 'new' })).status).to.be.oneOf([201, 204])
  })

  row(26, 'with no room for the database, reads go on, writes are answered 503, and both recover', async (notes) => {
    const small = rig.lab.daemon('vsftpd').account('small').home
    // SQLite follows the link that leads into the namespace of the lab: the gateway has to be in there itself.
    const [, init = '', inside = ''] = /^\/proc\/(\d+)\/root(.*)$/.exec(small) ?? []
    const env = { FTPCLUSTER_DATA_DIR: path.join(inside, 'data') }
    await another({ under: ['nsenter', '-t', init, '-m', '--'], env }, async (gateway) => {
      const url = gateway.dav('vsftpd', FILE)
      expect((await ask({ method: 'PUT', url, body: 'old' })).status).to.be.oneOf([201, 204])
      const filler = path.join(small, 'filler')
      const file = await open(filler, 'w')
      const block = Buffer.alloc(64 * 1024)
      await (async () => {
        for (;;) await file.write(block)
      })().catch(() => undefined)
      for (let size = 4096; size > 0; size >>= 1) await file.write(block.subarray(0, size)).catch(() => undefined)
      await file.close()
      const statuses = new Set<number | 'cut'>()
      for (let i = 0; i < 40 && !statuses.has(503); i++) {
        statuses.add((await ask({ method: 'PUT', url, body: 'new' })).status)
      }
      expect([...statuses], 'while nothing can be journalled')
        .to.include(503)
        .and.not.include(500)
      expect((await ask({ method: 'GET', url })).body.toString()).to.be.oneOf(['old', 'new'])
      await rm(filler)
      const started = performance.now()
      await eventually('uploads are taken again', 10, async () => {
        return Number((await ask({ method: 'PUT', url, body: 'newer' })).status) < 300
      })
      notes.within('taken again after', performance.now() - started, 10_000)
      expect((await ask({ method: 'GET', url })).body.toString()).to.equal('newer')
    })
    await rm(path.join(small, 'data'), { recursive: true, force: true })
  })

  row(26, 'with a damaged database it does not start, and touches nothing', async () => {
    await another({}, async (gateway) => {
      await gateway.end()
      const file = path.join(gateway.folder, 'data/ftpcluster.sqlite')
      const handle = await open(file, 'r+')
      await handle.write(Buffer.alloc(4096, 0x5a), 0, 4096, 0)
      await handle.close()
      const before = await readFile(file)
      const outcome = await gateway.serve().then(
        () => 'served',
        (error: Error) => error.message,
      )
      expect(outcome).to.match(/ended with [1-9]/)
      expect((await readFile(file)).equals(before)).to.equal(true)
    })
  })

  row(33, 'the clock may jump: transfers go on, and no listing is believed for longer', async () => {
    const root = await unpackedRoot()
    const library = path.join(root, 'usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1')
    const clock = path.join(rig.lab.scratch, 'clock')
    const set = async (offset: string) => {
      await writeFile(`${clock}.new`, `${offset}\n`)
      await rename(`${clock}.new`, clock)
    }
    await set('+0')
    const env = {
      FAKETIME_TIMESTAMP_FILE: clock,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      FTPCLUSTER_CACHE_TTL: '300ms',
    }
    await another({ env, under: ['env', `LD_PRELOAD=${library}`] }, async (gateway) => {
      for (const station of rig.stations) {
        await station.plant(FILE, versionOf(3, SIZE))
        const url = gateway.dav(station.alias, FILE)
        const names = async () =>
          (await ask({ method: 'PROPFIND', url: gateway.dav(station.alias), headers: DEPTH })).body.toString()
        for (const offset of ['+3600', '-3600', '+0']) {
          let jumped: Promise<void> | undefined
          const during = await ask({ method: 'GET', url, onBytes: () => (jumped ??= set(offset)) })
          expect(during.whole && during.body.equals(versionOf(3, SIZE)), `GET during ${offset}`).to.equal(true)
          await names()
          await set('-7200')
          const name = `seen-after-${offset.slice(1)}-${offset.startsWith('-') ? 'b' : 'f'}`
          await station.plant(name, '')
          await eventually('the listing is asked anew', 5, async () => (await names()).includes(name))
          const put = await ask({ method: 'PUT', url, body: versionOf(3, SIZE) })
          expect(put.status).to.equal(204)
        }
      }
      const until = gateway.log
      expect(until).to.not.match(/"level":(50|60)/)
    })
  })

  row(41, 'a full disk under the log costs lines, no requests', async () => {
    const small = rig.lab.daemon('sshd').account('small').home
    const logFile = path.join(small, 'log')
    await another({ logFile, env: { FTPCLUSTER_LOG_LEVEL: 'debug' } }, async (gateway) => {
      const filler = path.join(small, 'filler')
      const file = await open(filler, 'w')
      const block = Buffer.alloc(64 * 1024)
      await (async () => {
        for (;;) await file.write(block)
      })().catch(() => undefined)
      for (let size = 4096; size > 0; size >>= 1) await file.write(block.subarray(0, size)).catch(() => undefined)
      await file.close()
      for (let i = 0; i < 60; i++) await assertServes(gateway)
      expect((await ask({ method: 'PUT', url: gateway.dav('vsftpd', FILE), body: 'x' })).status).to.be.oneOf([201, 204])
      await rm(filler)
      const before = (await readFile(logFile)).length
      await assertServes(gateway)
      await assertServes(gateway)
      expect((await readFile(logFile)).length, 'the log goes on').to.be.greaterThan(before)
    })
  })

  it('no password is in the log', () => {
    expect(rig.gateway.log).to.not.include(PASSWORD).and.not.include('alice-secret')
  })
})

function run(database: sqlite3.Database, statement: string): Promise<void> {
  return new Promise((resolve, reject) => database.run(statement, (error) => (error ? reject(error) : resolve())))
}
