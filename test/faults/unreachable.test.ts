import { expect } from 'chai'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { startBlackHole, type BlackHole } from '../support/black-hole.js'
import { freePort } from '../lab/ports.js'
import { FakeFtpServer, type FakeSession } from '../storage/fake-ftp-server.js'
import { row } from './lab/figures.js'
import type { Answer } from './lab/http-client.js'
import { Rig } from './lab/rig.js'
import { countSockets } from './lab/tcp-table.js'

const DEPTH = { headers: { Depth: '1' } }
/** `TENTHS` of the rig, with room for a busy machine. */
const CONNECT = 3_000
const ROOM = 4_000
const DRIPS = ['drip-greeting', 'drip-login', 'drip-listing'] as const
const PIN = { kind: 'pinned', fingerprints: [`SHA256:${'A'.repeat(43)}`] } as const

/** One character after the other, without end and without an end of line. */
function drip(session: FakeSession): void {
  const timer = setInterval(() => session.sendRaw('2'), 50)
  timer.unref()
}

describe('a server that cannot be reached as it should', function () {
  this.timeout(120_000)
  let rig: Rig
  let hole: BlackHole
  let silent: Server
  let elsewhere: Server
  let visitors = 0
  const silentSockets = new Set<Socket>()
  const fakes: FakeFtpServer[] = []
  /** The servers that cost their deadlines are asked all at once. */
  const asked = new Map<string, Promise<Answer>>()

  before(async function () {
    hole = await startBlackHole()
    silent = createServer((socket) => {
      silentSockets.add(socket)
      socket.on('error', () => undefined).once('close', () => silentSockets.delete(socket))
    }).listen(0, '127.0.0.1')
    elsewhere = createServer((socket) => {
      visitors++
      socket.destroy()
    }).listen(0, '127.0.0.2')
    await Promise.all([once(silent, 'listening'), once(elsewhere, 'listening')])
    const { port } = elsewhere.address() as AddressInfo
    const fake = async (scripts: Parameters<typeof FakeFtpServer.start>[0]) => {
      const started = await FakeFtpServer.start(scripts)
      fakes.push(started)
      return started.port
    }
    const ftp = (port: number) =>
      ({ endpoint: { protocol: 'ftp', host: '127.0.0.1', port, trust: { kind: 'none' } } }) as const
    const mute = (session: FakeSession) => void session
    rig = await Rig.start(this, {
      daemons: ['proftpd'],
      others: [
        { alias: 'refused', ...ftp(await freePort()) },
        { alias: 'hole', ...ftp(hole.port) },
        { alias: 'mute', ...ftp((silent.address() as AddressInfo).port) },
        {
          alias: 'mute-sftp',
          endpoint: { ...ftp((silent.address() as AddressInfo).port).endpoint, protocol: 'sftp', trust: PIN },
        },
        {
          alias: 'mute-tls',
          endpoint: {
            ...ftp(await fake({ scripts: { AUTH: '234 go on' } })).endpoint,
            protocol: 'ftps',
            trust: PIN,
          },
        },
        { alias: 'drip-greeting', ...ftp(await fake({ scripts: { connect: drip } })) },
        { alias: 'drip-login', ...ftp(await fake({ scripts: { PASS: drip } })) },
        { alias: 'drip-listing', ...ftp(await fake({ scripts: { CWD: drip, SIZE: drip } })) },
        {
          alias: 'foreign',
          ...ftp(
            await fake({
              scripts: { EPSV: '502 no', PASV: `227 ok (127,0,0,2,${port >> 8},${port & 255})`, SIZE: '213 5' },
            }),
          ),
        },
        { alias: 'no-data', ...ftp(await fake({ scripts: { EPSV: `229 ok (|||${hole.port}|)`, LIST: mute } })) },
        { alias: 'no-name', endpoint: { ...ftp(21).endpoint, host: 'nowhere.invalid' } },
        { alias: 'metadata', endpoint: { ...ftp(80).endpoint, host: '169.254.169.254' } },
        { alias: 'dual', endpoint: { ...ftp(await freePort()).endpoint, host: 'localhost' } },
      ],
    })
    for (const alias of ['mute', 'mute-sftp', 'mute-tls', 'no-data']) {
      asked.set(alias, rig.ask('PROPFIND', `${alias}/`, DEPTH))
    }
    for (const alias of DRIPS) asked.set(alias, rig.ask('PROPFIND', `${alias}/folder`, DEPTH))
  })

  after(async () => {
    await rig?.stop()
    await hole?.stop()
    for (const fake of fakes) await fake.close()
    for (const socket of silentSockets) socket.destroy()
    silent?.close()
    elsewhere?.close()
  })

  async function answerOf(alias: string): Promise<Answer> {
    const answer = await asked.get(alias)
    if (answer === undefined) throw new Error(`${alias} was not asked.`)
    return answer
  }

  async function healthy(): Promise<Answer> {
    const answer = await rig.ask('PROPFIND', 'proftpd/', DEPTH)
    expect(answer.status, 'the healthy server beside it').to.equal(207)
    return answer
  }

  /** Asks until the breaker answers. @returns the answer of the breaker */
  async function untilBreaker(alias: string): Promise<Answer> {
    for (let i = 0; i < 8; i++) {
      const answer = await rig.ask('PROPFIND', `${alias}/`, DEPTH)
      expect(answer.status).to.be.oneOf([502, 503, 504])
      expect(answer.body.toString(), 'never an empty folder').to.not.include('multistatus')
      if (answer.status === 503) return answer
    }
    throw new Error(`${alias} was asked eight times in a row`)
  }

  row(1, 'a refused connection is answered 502, and from the third on 503 with Retry-After at once', async (notes) => {
    const first = await rig.ask('PROPFIND', 'refused/', DEPTH)
    expect(first.status).to.equal(502)
    notes.within('502 after', first.ms, 1_000)
    const open = await untilBreaker('refused')
    expect(Number(open.headers['retry-after'])).to.be.within(1, 60)
    notes.within('503 after', open.ms, 500)
    await healthy()
  })

  row(
    2,
    'a black hole is answered 504, then 503, with no pile of connects, and others notice nothing',
    async (notes) => {
      const waiting = Array.from({ length: 10 }, () => rig.ask('PROPFIND', 'hole/', DEPTH))
      let most = 0
      let beside = 0
      const all = Promise.all(waiting)
      for (let over = false; !over;) {
        most = Math.max(most, await countSockets('connecting', { remote: hole.port }))
        beside = Math.max(beside, (await healthy()).ms)
        over = await Promise.race([all.then(() => true), new Promise<false>((r) => setTimeout(r, 100, false))])
      }
      const answers = await all
      for (const { status } of answers) expect(status).to.be.oneOf([503, 504])
      expect(answers.some(({ status }) => status === 504)).to.equal(true)
      expect(most, 'connects under way').to.be.within(1, 4)
      notes.within('504 after', Math.max(...answers.map(({ ms }) => ms)), CONNECT + ROOM)
      notes.say(`at most ${most} connects under way, others within ${Math.round(beside)} ms`)
      const open = await untilBreaker('hole')
      notes.within('503 after', open.ms, 1_000)
    },
  )

  for (const alias of ['mute', 'mute-sftp']) {
    row(3, `a server that accepts and says nothing (${alias}) is answered 504`, async (notes) => {
      const { status, ms } = await answerOf(alias)
      expect(status).to.equal(504)
      notes.within('504 after', ms, CONNECT + ROOM)
      await healthy()
    })
  }

  row(4, 'a server that is silent after AUTH TLS is answered 504, and no password was sent', async (notes) => {
    const { status, ms } = await answerOf('mute-tls')
    expect(status).to.equal(504)
    notes.within('504 after', ms, CONNECT + ROOM)
    for (const fake of fakes) expect(fake.lines.filter((line) => line.includes('AUTH')).length).to.be.at.most(1)
  })

  for (const alias of DRIPS) {
    row(5, `replies that drip for ever (${alias.slice(5)}) are answered 504`, async (notes) => {
      const { status, ms } = await answerOf(alias)
      expect(status).to.equal(504)
      notes.within('504 after', ms, CONNECT + ROOM)
    })
  }

  row(20, 'a blocked data port is answered 504 within one deadline, EPSV and PASV together', async (notes) => {
    const { status, ms } = await answerOf('no-data')
    expect(status).to.equal(504)
    notes.within('504 after', ms, 1_500 + ROOM)
    const { proxy } = rig.station('proftpd')
    proxy.foreignDataPort = hole.port
    const real = await rig.ask('PROPFIND', 'proftpd/', { headers: { Depth: '1', 'Cache-Control': 'no-cache' } })
    expect(real.status).to.equal(504)
    rig.calm()
    await healthy()
  })

  row(21, 'a passive address of another host is answered 502, and nobody connects to it', async (notes) => {
    const { status, ms } = await rig.ask('PROPFIND', 'foreign/', DEPTH)
    expect(status).to.equal(502)
    notes.within('502 after', ms, 2_000)
    expect(visitors).to.equal(0)
  })

  row(36, 'an unknown name is answered 502 or 504, and a name for a forbidden address 502', async (notes) => {
    const unknown = await rig.ask('PROPFIND', 'no-name/', DEPTH)
    expect(unknown.status).to.be.oneOf([502, 504])
    notes.within(`${unknown.status} after`, unknown.ms, CONNECT + ROOM)
    const forbidden = await rig.ask('PROPFIND', 'metadata/', DEPTH)
    expect(forbidden.status).to.equal(502)
    notes.within('forbidden address: 502 after', forbidden.ms, 1_000)
  })

  it('nothing of a password is in the log', () => {
    expect(rig.gateway.log).to.not.match(/canary-of-x|alice-secret/)
  })
})
