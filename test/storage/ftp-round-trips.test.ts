import { expect } from 'chai'
import { connect as connectTcp, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { createDialer } from '../../src/storage/dialer.js'
import type { Connection } from '../../src/storage/driver.js'
import { createFtpDriver } from '../../src/storage/ftp/ftp-driver.js'
import { labFor, type Lab } from '../lab/lab.js'

const DAEMONS = ['proftpd', 'vsftpd', 'pure-ftpd'] as const
const DEADLINES = { connect: 15_000, metadata: 15_000, firstByte: 15_000, stall: 15_000 }
const driver = createFtpDriver({ deadlines: DEADLINES, dial: createDialer({ allow: ['127.0.0.0/8'] }) })

/** Passes a control connection on and keeps the verbs of each packet. Data connections go to the server itself. */
class Tap {
  readonly packets: string[] = []
  readonly #sockets = new Set<Socket>()
  readonly #server: Server

  constructor(port: number) {
    this.#server = createServer((client) => {
      const upstream = connectTcp({ port, host: '127.0.0.1', noDelay: true })
      client.setNoDelay(true)
      client.on('data', (packet) => {
        const lines = packet.toString().split('\r\n').slice(0, -1)
        this.packets.push(lines.map((line) => line.split(' ')[0]).join('+'))
        upstream.write(packet)
      })
      upstream.on('data', (packet) => client.write(packet))
      for (const [one, other] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        this.#sockets.add(one)
        one.on('error', () => undefined).on('close', () => other.destroy())
      }
    })
  }

  listen(): Promise<number> {
    return new Promise((resolve) => {
      this.#server.listen(0, '127.0.0.1', () => resolve((this.#server.address() as AddressInfo).port))
    })
  }

  close(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }
}

/** Each packet of commands is a round trip. */
describe('round trips to real FTP servers', function () {
  this.timeout(180_000)
  let lab: Lab
  before(async function () {
    lab = await labFor(this, { daemons: DAEMONS })
  })
  after(() => lab?.stop())

  for (const kind of DAEMONS) {
    describe(kind, () => {
      let tap: Tap
      let c: Connection
      let folder: string
      let login: readonly string[]

      before(async () => {
        const daemon = lab.daemon(kind)
        const { endpoint } = daemon
        const eve = daemon.account('eve')
        tap = new Tap(endpoint.port)
        c = await driver.connect({ ...endpoint, port: await tap.listen() }, eve)
        folder = eve.remoteHome === '/' ? '' : eve.remoteHome
        login = [...tap.packets]
        await c.write(`${folder}/a`, body())
      })
      after(() => {
        c?.close()
        tap?.close()
      })

      async function packets(work: () => Promise<unknown>): Promise<readonly string[]> {
        tap.packets.length = 0
        await work()
        return [...tap.packets]
      }

      it('what a login sets up is one', () => {
        expect(login.slice(0, 3)).to.deep.equal(['USER', 'PASS', 'FEAT'])
        expect(login.slice(3)).to.have.length(1)
        expect(login[3]).to.match(/TYPE\+PWD$/)
      })

      it('a look is one', async () => {
        const look = await packets(() => c.stat(`${folder}/a`))
        expect(look).to.deep.equal([kind === 'vsftpd' ? 'SIZE+MDTM' : 'MLST'])
      })

      it('a look at what is missing is that, and one listing', async () => {
        const look = await packets(() => c.stat(`${folder}/missing`).catch(() => undefined))
        expect(look).to.deep.equal(
          kind === 'vsftpd' ? ['SIZE+MDTM', 'CWD+CWD', 'CWD', 'EPSV', 'LIST'] : ['MLST', 'CWD', 'EPSV', 'MLSD'],
        )
      })

      it('a rename is one, and what becomes of it is known', async () => {
        expect(await packets(() => c.rename(`${folder}/a`, `${folder}/b`))).to.deep.equal(['RNFR+RNTO'])
        expect((await c.stat(`${folder}/b`)).size).to.equal(4)
        const refused = await c.rename(`${folder}/a`, `${folder}/c`).catch((error: unknown) => error)
        expect(refused).to.have.property('code', 'NOT_FOUND')
        await c.removeFile(`${folder}/b`)
      })
    })
  }
})

// eslint-disable-next-line @typescript-eslint/require-await
async function* body(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('four')
}
