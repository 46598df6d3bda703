import { expect } from 'chai'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { Agent } from 'node:http'
import { connect, type Socket } from 'node:net'
import { must } from '../lab/run.js'
import { GatewayProcess } from '../support/gateway.js'
import { contentOf, eventually, versionOf } from '../support/upload.js'
import { row } from './lab/figures.js'
import { FULL } from './lab/full.js'
import { ask, namesIn, type Asked } from './lab/http-client.js'
import { closed, rawRequest } from './lab/raw-client.js'
import { Rig, TENTHS } from './lab/rig.js'

const FILE = 'file.bin'
const SIZE = 8 * 1024 * 1024
const FRESH = { Depth: '1', 'Cache-Control': 'no-cache' }
/** `timeouts.headers` of the rig, and how often Node looks. */
const HEADERS = 2_000
/** Requests at once with little memory. */
const COUNT = FULL ? 60 : 24

describe('a gateway at its limits', function () {
  this.timeout(240_000)
  let rig: Rig

  before(async function () {
    rig = await Rig.start(this, {
      daemons: ['vsftpd', 'sshd'],
      env: {
        FTPCLUSTER_LIMITS_CONNECTIONS: '5000',
        FTPCLUSTER_LIMITS_CONNECTIONS_PER_ADDRESS: '5000',
        FTPCLUSTER_DEADLINES_CLIENT_IDLE: '2s',
      },
    })
    for (const station of rig.stations) await station.plant(FILE, versionOf(1, SIZE))
  })

  after(() => rig?.stop())

  async function assertServes(gateway = rig.gateway): Promise<void> {
    for (const alias of ['vsftpd', 'sshd']) {
      const answer = await ask({ method: 'PROPFIND', url: gateway.dav(alias), headers: FRESH })
      expect(answer.status, alias).to.equal(207)
    }
  }

  row(32, 'five hundred clients that drip their headers are cut, and others notice nothing', async (notes) => {
    const sockets = await Promise.all(
      Array.from({ length: 500 }, async () => {
        const socket = connect(rig.gateway.port, '127.0.0.1').on('error', () => undefined)
        await once(socket, 'connect')
        socket.write('GET /dav/vsftpd/ HTTP/1.1\r\nHost: x\r\n')
        return socket
      }),
    )
    const started = performance.now()
    const drip = setInterval(() => {
      for (const socket of sockets) if (socket.writable) socket.write('X')
    }, 500)
    let slowest = 0
    const cut = Promise.all(sockets.map(closed))
    let over = false
    void cut.then(() => (over = true))
    let served = 0
    do {
      const begun = performance.now()
      await assertServes()
      slowest = Math.max(slowest, performance.now() - begun)
      served++
    } while (!over)
    clearInterval(drip)
    const answers = await cut
    for (const text of answers) expect(text).to.match(/^(HTTP\/1\.1 408|$)/)
    notes.atMost('all cut after', performance.now() - started, 3 * HEADERS + 10_000)
    notes.say(`two listings beside them within ${Math.round(slowest)} ms`)
    expect(served).to.be.greaterThan(0)
  })

  row(32, 'a body that drips is cut with 408 although it is never silent, and the old file stays', async (notes) => {
    await Promise.all(
      rig.stations.map(async (station) => {
        const socket = await rawRequest(station.url(FILE), 'PUT', ['Content-Length: 100000'])
        const drip = setInterval(() => socket.writable && socket.write('x'), 500)
        const started = performance.now()
        expect(await closed(socket)).to.match(/^HTTP\/1\.1 408/)
        clearInterval(drip)
        notes.within(`${station.alias}: 408 after`, performance.now() - started, 2_000 + 8_000)
        expect((await contentOf(`${station.home}/${FILE}`)).equals(versionOf(1, SIZE))).to.equal(true)
      }),
    )
  })

  /** A gateway over the same servers that has spoken to `sshd` alone. */
  async function another<T>(env: Record<string, string>, work: (gateway: GatewayProcess) => Promise<T>): Promise<T> {
    const limits = { FTPCLUSTER_LIMITS_CONNECTIONS: '5000', FTPCLUSTER_LIMITS_CONNECTIONS_PER_ADDRESS: '5000' }
    const gateway = await GatewayProcess.start(rig.cluster, { env: { ...TENTHS, ...limits, ...env } })
    try {
      return await work(gateway)
    } finally {
      await gateway.stop()
    }
  }

  row(
    34,
    'without a free file descriptor, what needs a new connection is answered 503, the rest goes on, and all recovers',
    async (notes) => {
      await another({ FTPCLUSTER_POOL_IDLE: '1m' }, async (gateway) => {
        const agent = new Agent({ keepAlive: true, maxSockets: 1 })
        const here = (asked: Omit<Asked, 'agent'>) => ask({ agent, ...asked })
        const first = await here({ method: 'PROPFIND', url: gateway.dav('sshd'), headers: FRESH })
        expect(first.status).to.equal(207)
        const used = (await readdir(`/proc/${gateway.pid}/fd`)).length
        await must('prlimit', ['--pid', String(gateway.pid), `--nofile=${used + 20}`])
        const crowd = await Promise.all(Array.from({ length: 150 }, () => guest(gateway.port)))
        const full = async () => (await readdir(`/proc/${gateway.pid}/fd`)).length >= used + 19
        await eventually('its descriptors are used up', 5, full)

        const needs = await here({ method: 'PROPFIND', url: gateway.dav('vsftpd'), headers: FRESH })
        expect(needs.status, 'a server without a connection').to.equal(503)
        expect(Number(needs.headers['retry-after'])).to.be.within(1, 60)
        notes.within('503 after', needs.ms, 5_000)
        const goesOn = await here({ method: 'GET', url: gateway.dav('sshd', FILE) })
        expect(goesOn.status, 'a server with a connection').to.equal(200)
        expect(goesOn.whole && goesOn.body.equals(versionOf(1, SIZE))).to.equal(true)

        for (const socket of crowd) socket.destroy()
        const started = performance.now()
        await eventually('it serves again', 10, async () => {
          return (await ask({ method: 'PROPFIND', url: gateway.dav('vsftpd'), headers: FRESH })).status === 207
        })
        notes.within('serving again after', performance.now() - started, 5_000)
        for (const alias of ['vsftpd', 'sshd']) {
          const put = await ask({ method: 'PUT', url: gateway.dav(alias, 'other'), body: 'x' })
          expect(put.status).to.be.oneOf([201, 204])
        }
        agent.destroy()
        expect(gateway.log, 'no server is blamed').to.not.include('server is down')
      })
    },
  )

  row(35, 'with little memory it lives through many transfers and large listings at once', async (notes) => {
    const many = Array.from({ length: FULL ? 2_000 : 400 }, (_, i) => `large/a-file-of-the-large-folder-${i}`)
    for (const station of rig.stations) for (const name of many) await station.plant(name, '')
    await another({ NODE_OPTIONS: '--max-old-space-size=96' }, async (gateway) => {
      const { pid } = gateway
      const answers = await Promise.all(
        Array.from({ length: COUNT }, async (_, i) => {
          const alias = i % 2 === 0 ? 'vsftpd' : 'sshd'
          switch (i % 3) {
            case 0: {
              const { status, body, whole } = await ask({ method: 'GET', url: gateway.dav(alias, FILE) })
              if (status === 200) expect(whole && body.equals(versionOf(1, SIZE)), alias).to.equal(true)
              return status
            }
            case 1: {
              const body = versionOf(i, SIZE)
              const { status } = await ask({ method: 'PUT', url: gateway.dav(alias, `put-${i}`), body })
              if (Number(status) < 300) {
                const { home } = rig.station(alias)
                expect((await contentOf(`${home}/put-${i}`)).equals(body), alias).to.equal(true)
              }
              return status
            }
            default: {
              const { status, body } = await ask({
                method: 'PROPFIND',
                url: gateway.dav(alias, 'large'),
                headers: FRESH,
              })
              if (status === 207) expect(namesIn(body.toString())).to.have.length(many.length)
              return status
            }
          }
        }),
      )
      for (const status of answers) expect(status).to.be.oneOf([200, 201, 204, 207, 503])
      expect(gateway.pid, 'the same process').to.equal(pid)
      await assertServes(gateway)
      notes.say(`${answers.filter((status) => status !== 503).length} of ${COUNT} served, the rest 503`)
      notes.say(`${Math.round((await gateway.peakMemory()) / 1024 / 1024)} MB of memory at most`)
    })
  })
})

/** A connection that says nothing. */
async function guest(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined)
  await Promise.race([once(socket, 'connect'), once(socket, 'close')])
  return socket
}
