import { expect } from 'chai'
import { chmod, chown, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { must } from '../lab/run.js'
import { contentOf, eventually, temporaryFilesIn, versionOf } from '../support/upload.js'
import { row } from './lab/figures.js'
import { FULL } from './lab/full.js'
import { Rig, type Station } from './lab/rig.js'

const FRESH = { Depth: '1', 'Cache-Control': 'no-cache' }
const FILE = 'file.bin'
const SMALL_DISK = 1024 * 1024
/** An idle connection is asked for a sign of life after so many milliseconds. */
const CHECK_AFTER = 800

describe('a server that changes or refuses', function () {
  this.timeout(240_000)
  let rig: Rig

  before(async function () {
    rig = await Rig.start(this, {
      daemons: [
        { kind: 'proftpd', settings: ['MaxClientsPerUser 3 "too many for you"'] },
        { kind: 'vsftpd', settings: ['max_per_ip=6', 'idle_session_timeout=2'] },
        { kind: 'pure-ftpd', settings: ['--maxclientsperip', '6'] },
        'sshd',
        'proftpd-ftps',
        { kind: 'proftpd', settings: ['MaxStoreFileSize 100 Kb'] },
      ],
      logins: ['alice', 'small'],
      smallDisk: SMALL_DISK,
      // pure-ftpd takes its time to refuse a password.
      env: { FTPCLUSTER_DEADLINES_CONNECT: '10s', FTPCLUSTER_POOL_CHECK_AFTER: `${CHECK_AFTER}ms` },
    })
  })

  afterEach(() => rig?.calm())
  after(() => rig?.stop())

  function stations(...aliases: string[]): Station[] {
    return aliases.map((alias) => rig.station(alias))
  }

  const MAIN = ['proftpd', 'vsftpd', 'pure-ftpd', 'sshd']

  row(13, 'a server that restarts fails requests while it is down, and serves again by itself', async (notes) => {
    for (const station of stations(...MAIN)) {
      await stopDuringTransfers(station)
      const down = await station.ask('PROPFIND', '', { headers: FRESH })
      expect(down.status, `${station.alias} down`).to.be.oneOf([502, 503])
      await station.daemon.start()
      const started = performance.now()
      await eventually(`${station.alias} serves again`, 20, async () => {
        return (await station.ask('PROPFIND', '', { headers: FRESH })).status === 207
      })
      notes.within(`${station.alias} back after`, performance.now() - started, 10_000)
    }
  })

  const ENDS: Readonly<Record<string, (station: Station) => void | Promise<void>>> = {
    'by a reset': (station) => station.resetAll(),
    'by a FIN': (station) => station.proxy.endAll(),
    'by the end of its process': async ({ daemon, proxy }) => {
      for (const pid of daemon.sessions().reverse()) kill(pid)
      await eventually('the session is over', 10, () => Promise.resolve(proxy.controls === 0))
    },
    // The answer to the next command is the end: the connection looked alive until then.
    'at the next command': (station) => station.commands.arm(({ index }) => (index === 1 ? LOST : undefined)),
  }
  for (const [turn, [how, end]] of Object.entries(ENDS).entries()) {
    row(14, `an idle connection that ended ${how} is made up for in every kind of request`, async () => {
      await Promise.all(
        stations(...MAIN).map(async (station, nth) => {
          let count = 0
          const request = async (method: string, name: string, body?: string, headers = {}): Promise<void> => {
            if (FULL || (turn + nth + count++) % 4 === 0) {
              await oneIdleConnection(station)
              await end(station)
            }
            const answer = await station.ask(method, name, { headers, ...(body === undefined ? {} : { body }) })
            station.commands.disarm()
            expect(answer.status, `${method} on ${station.alias}`).to.be.oneOf([200, 201, 204, 207])
          }
          const here = `row14-${how.replaceAll(' ', '-')}`
          await request('MKCOL', here)
          await request('PUT', `${here}/a`, 'content')
          await request('PROPFIND', here, undefined, FRESH)
          await request('GET', `${here}/a`)
          await request('PUT', `${here}/a`, 'content again')
          await request('COPY', `${here}/a`, undefined, { Destination: station.url(`${here}/b`) })
          await request('MOVE', `${here}/b`, undefined, { Destination: station.url(`${here}/c`) })
          await request('DELETE', `${here}/c`)
          await request('DELETE', here)
        }),
      )
    })
  }

  row(14, 'an idle session that the server ends by itself is made up for', async () => {
    const [station] = stations('vsftpd')
    if (station === undefined) throw new Error('a station')
    await station.ask('PROPFIND', '', { headers: FRESH })
    await eventually('vsftpd ends the idle session', 20, () => Promise.resolve(station.daemon.sessions().length === 0))
    expect((await station.ask('MKCOL', 'after-idle')).status).to.equal(201)
    expect((await station.ask('DELETE', 'after-idle')).status).to.equal(204)
  })

  row(14, 'an idle connection that a NAT forgot is found out before it is used', async (notes) => {
    await Promise.all(
      stations('proftpd', 'pure-ftpd', 'sshd').map(async (station) => {
        for (const [method, name] of [
          ['MKCOL', 'forgotten'],
          ['DELETE', 'forgotten'],
        ] as const) {
          await station.ask('PROPFIND', '', { headers: FRESH })
          await new Promise((resolve) => setTimeout(resolve, CHECK_AFTER + 100))
          station.proxy.forgetAll()
          const { status, ms } = await station.ask(method, name)
          expect(status, `${method} on ${station.alias}`).to.be.oneOf([201, 204])
          notes.within(`${method} on ${station.alias} after`, ms, 2_000 + 10_000)
        }
      }),
    )
  })

  row(15, 'a server with a limit on connections serves ten downloads at once, only slower', async (notes) => {
    for (const station of stations('proftpd', 'vsftpd', 'pure-ftpd')) {
      const content = versionOf(1, 1_000_000)
      await station.plant(FILE, content)
      const answers = await Promise.all(Array.from({ length: 10 }, () => station.ask('GET', FILE)))
      for (const answer of answers) {
        expect(answer.status, station.alias).to.equal(200)
        expect(answer.whole && answer.body.equals(content)).to.equal(true)
      }
      notes.say(`${station.alias} ${(Math.max(...answers.map(({ ms }) => ms)) / 1000).toFixed(1)} s`)
    }
  })

  row(16, 'a full disk is answered 507, the old file stays, and nothing is left', async (notes) => {
    await Promise.all(
      stations(...MAIN.map((alias) => `${alias}-small`)).map(async (station) => {
        const old = versionOf(2, 100_000)
        await station.plant(FILE, old)
        const { status, ms } = await station.ask('PUT', FILE, { body: versionOf(3, 2 * SMALL_DISK) })
        expect(status, station.alias).to.equal(507)
        notes.within(`${station.alias}: 507 after`, ms, 5_000 + 5_000)
        expect((await contentOf(path.join(station.home, FILE))).equals(old)).to.equal(true)
        await eventually('nothing temporary', 20, async () => (await temporaryFilesIn(station.home)).length === 0)
        await rm(path.join(station.home, FILE))
      }),
    )
  })

  row(17, 'a limit on the size of files is answered 507, and the old file stays', async (notes) => {
    const [station] = stations('proftpd-5')
    if (station === undefined) throw new Error('a station')
    await station.plant(FILE, 'old')
    const { status, ms } = await station.ask('PUT', FILE, { body: versionOf(3, 1_000_000) })
    expect(status).to.equal(507)
    notes.within('507 after', ms, 5_000 + 5_000)
    expect((await contentOf(path.join(station.home, FILE))).toString()).to.equal('old')
    await eventually('nothing temporary', 20, async () => (await temporaryFilesIn(station.home)).length === 0)
  })

  row(12, 'of a hundred requests after the password changed there, one attempt reaches the server', async (notes) => {
    const folder = path.dirname(rig.lab.scratch)
    const index = rig.lab.daemons.findIndex(({ kind }) => kind === 'pure-ftpd')
    const [station] = stations('pure-ftpd')
    const [beside] = stations('pure-ftpd-small')
    if (station === undefined || beside === undefined) throw new Error('stations')
    await station.ask('PROPFIND', '', { headers: FRESH })
    const shadow = path.join(folder, `${index}-pure-ftpd`, 'shadow')
    const before = await readFile(shadow, 'utf8')
    const hash = (await must('openssl', ['passwd', '-6', 'another'])).trim()
    // In place: the file is mounted over /etc/shadow.
    await writeFile(shadow, before.replace(/^alice:[^:]*/m, `alice:${hash}`))
    station.resetAll()
    station.commands.arm()
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => station.ask('PROPFIND', '', { headers: FRESH })),
    )
    for (const { status, body } of answers) {
      expect(status).to.equal(403)
      expect(body.toString()).to.match(/REMOTE_CREDENTIALS/)
    }
    const later = await station.ask('PROPFIND', '', { headers: FRESH })
    expect(station.commands.seen.filter((line) => line.startsWith('PASS')).length, 'attempts').to.equal(1)
    notes.atMost('first after', Math.max(...answers.map(({ ms }) => ms)), 20_000)
    notes.within('then after', later.ms, 500)
    expect((await beside.ask('PROPFIND', '', { headers: FRESH })).status, 'another login there').to.equal(207)
    await writeFile(shadow, before)
    expect(rig.gateway.log).to.not.include('alice-secret')
  })

  row(
    11,
    'a changed host key or certificate is answered 502, and no attempt to log in reaches the server',
    async (notes) => {
      const folder = path.dirname(rig.lab.scratch)
      const env = process.env
      await rm(path.join(folder, 'host_key'))
      await rm(path.join(folder, 'host_key.pub'))
      await must('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path.join(folder, 'host_key')], { env })
      const curve = [
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '2',
        '-subj',
        '/CN=x',
      ]
      const out = ['-keyout', path.join(folder, 'tls.key'), '-out', path.join(folder, 'tls.crt')]
      await must('openssl', ['req', '-x509', ...curve, ...out], { env })
      await chown(path.join(folder, 'host_key'), 0, 0)
      await chmod(path.join(folder, 'host_key'), 0o600)
      for (const station of stations('sshd', 'proftpd-ftps')) {
        await station.daemon.restart()
        const logged = (await station.daemon.log()).length
        const answers = await Promise.all(
          Array.from({ length: 100 }, () => station.ask('PROPFIND', '', { headers: FRESH })),
        )
        const statuses = new Set(answers.map(({ status }) => status))
        expect([...statuses], station.alias).to.deep.equal([502])
        expect(answers.some(({ body }) => body.toString().includes('UNTRUSTED'))).to.equal(true)
        notes.within(`${station.alias}: 502 after`, Math.max(...answers.map(({ ms }) => ms)), 15_000)
        const log = (await station.daemon.log()).slice(logged)
        expect(log, 'what the server saw').to.not.match(/password|alice|USER /i)
      }
    },
  )
})

/** Exactly one, and it is idle: one that is being opened besides would be another story. */
async function oneIdleConnection(station: Station): Promise<void> {
  const { proxy } = station
  await eventually(`${station.alias} is quiet`, 20, () => {
    station.resetAll()
    return Promise.resolve(proxy.controls === 0)
  })
  await eventually(`${station.alias} serves`, 20, async () => {
    return (await station.ask('PROPFIND', '', { headers: FRESH })).status === 207
  })
}

/** A download and an upload that the end of the server meets: whole, or not at all. */
async function stopDuringTransfers(station: Station): Promise<void> {
  const [old, next] = [versionOf(1, 8_000_000), versionOf(2, 8_000_000)]
  await station.plant(FILE, old)
  station.proxy.shape = { bytesPerSecond: 8_000_000 }
  let stopped: Promise<void> | undefined
  const stop = () => (stopped ??= station.daemon.stop())
  const [read, written] = await Promise.all([
    station.ask('GET', FILE, { onBytes: stop }),
    station.ask('PUT', FILE, { body: next }),
  ])
  await stop()
  station.proxy.shape = {}
  const file = await contentOf(path.join(station.home, FILE))
  if (written.status === 204) expect(file.equals(next), station.alias).to.equal(true)
  else {
    expect(written.status, `${station.alias}: PUT`).to.be.oneOf([502, 503])
    expect(file.equals(old), `${station.alias}: the old file`).to.equal(true)
  }
  if (!read.whole) return
  if (read.status === 200) expect(read.body.equals(old), `${station.alias}: the file read`).to.equal(true)
  else expect(read.status, `${station.alias}: GET`).to.be.oneOf([502, 503])
}

const LOST = { at: 'before', action: { kind: 'reset' } } as const

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
