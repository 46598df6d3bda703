import { expect } from 'chai'
import { FakeFtpServer, type FakeSession, type Script } from '../storage/fake-ftp-server.js'
import { row } from './lab/figures.js'
import { namesIn } from './lab/http-client.js'
import { Rig } from './lab/rig.js'

const FRESH = { headers: { Depth: '1', 'Cache-Control': 'no-cache' } }
const GOOD = '-rw-r--r--   1 a  b      5 Jan  1  2024 good\r\n'
const line = (name: string, size = '5') => `-rw-r--r--   1 a  b      ${size} Jan  1  2024 ${name}\r\n`

/** Listings that no folder can have, and the names that may be shown of them; none: the listing as a whole is refused. */
const LISTINGS: Readonly<Record<string, readonly [text: string | Buffer, names?: readonly string[]]>> = {
  'garbage between good lines': [`${GOOD}\x01\x02 what is this?\r\n${GOOD}`],
  'a climbing name': [GOOD + line('../../evil')],
  'a name with a slash': [GOOD + line('a/b')],
  'a negative size': [GOOD + line('minus', '-5')],
  'a size beyond counting': [GOOD + line('huge', '9'.repeat(40))],
  'the same name twice': [GOOD + GOOD, ['good']],
  'dots and nothing else': [line('.') + line('..') + GOOD, ['good']],
  'another encoding': [Buffer.concat([Buffer.from(GOOD), Buffer.from(line('caf\xe9'), 'latin1')])],
  'a NUL in a name': [GOOD + line('a\0b')],
  'control characters in a name': [GOOD + line('a\x07\x1bb')],
}
const FLOOD = 50 * 1024 * 1024

describe('a server that answers nonsense', function () {
  this.timeout(120_000)
  let rig: Rig
  const fakes = new Map<string, FakeFtpServer>()

  before(async function () {
    const others = []
    for (const [alias, scripts] of Object.entries(serversOf())) {
      const fake = await FakeFtpServer.start({ scripts })
      fakes.set(alias, fake)
      const trust = { kind: 'none' } as const
      others.push({ alias, endpoint: { protocol: 'ftp', host: '127.0.0.1', port: fake.port, trust } as const })
    }
    rig = await Rig.start(this, { daemons: ['vsftpd'], others, env: { FTPCLUSTER_DEADLINES_METADATA: '5s' } })
  })

  after(async () => {
    await rig?.stop()
    for (const fake of fakes.values()) await fake.close()
  })

  row(19, 'a listing that cannot be read whole is answered 502, never a shorter one', async () => {
    for (const [i, [what, [, names]]] of Object.entries(LISTINGS).entries()) {
      const { status, body } = await rig.ask('PROPFIND', `listing-${i}/`, FRESH)
      const text = body.toString()
      if (names === undefined) expect(status, what).to.be.oneOf([207, 502])
      else expect(status, what).to.equal(207)
      if (status === 207) {
        expect(namesIn(text).sort(), what).to.include.members([...(names ?? ['good'])])
        expect(namesIn(text).length, `${what}: each line is shown`).to.equal(names?.length ?? 2)
        expect(isXml(text), `${what}: XML 1.0 section 2.2`).to.equal(true)
        expect(text).to.not.include('evil')
      }
    }
    for (const what of ['garbage between good lines', 'a climbing name', 'a name with a slash', 'a negative size']) {
      const i = Object.keys(LISTINGS).indexOf(what)
      expect((await rig.ask('PROPFIND', `listing-${i}/`, FRESH)).status, what).to.equal(502)
    }
  })

  row(19, 'a listing of 50 MB is refused with 507, and little of it is held', async (notes) => {
    const before = await rig.gateway.residentMemory()
    const { status, ms } = await rig.ask('PROPFIND', 'flood/', FRESH)
    expect(status).to.equal(507)
    const grown = ((await rig.gateway.peakMemory()) - before) / 1024 / 1024
    notes.atMost('507 after', ms, 30_000)
    notes.say(`${Math.max(0, Math.round(grown))} MB more memory at most`)
    expect(grown).to.be.below(400)
  })

  row(19, 'a reply of megabytes on the control connection is answered 502 or 504', async (notes) => {
    const { status, ms } = await rig.ask('PROPFIND', 'long-reply/', FRESH)
    expect(status).to.be.oneOf([502, 504])
    notes.within(`${status} after`, ms, 10_000)
    expect((await rig.ask('PROPFIND', 'vsftpd/', FRESH)).status, 'the healthy server beside it').to.equal(207)
  })

  it('nothing of it was a mistake of the gateway', () => {
    expect(rig.gateway.log).to.not.match(/"level":60|unhandled|INTERNAL/)
  })
})

/** No control character but tab and the ends of lines. */
function isXml(text: string): boolean {
  return !/\p{Cc}/u.test(text.replaceAll(/[\t\r\n]/g, ''))
}

function serversOf(): Record<string, Readonly<Record<string, Script>>> {
  const servers: Record<string, Readonly<Record<string, Script>>> = {}
  for (const [i, [text]] of Object.values(LISTINGS).entries()) servers[`listing-${i}`] = { LIST: sending(text) }
  servers['flood'] = { LIST: flood }
  servers['long-reply'] = { CWD: (session) => session.sendRaw('250-' + 'x'.repeat(5_000_000)) }
  return servers
}

function sending(text: string | Buffer): Script {
  return async (session) => {
    const socket = await session.data()
    session.send('150 here it comes')
    socket.end(Buffer.isBuffer(text) ? text : Buffer.from(text))
    return '226 done'
  }
}

/** Sends good lines until the other side has enough. */
async function flood(session: FakeSession): Promise<string> {
  const socket = await session.data()
  session.send('150 here it comes')
  const block = Buffer.from(Array.from({ length: 1_000 }, (_, i) => line(`file-${i}`)).join(''))
  for (let sent = 0; sent < FLOOD && !socket.destroyed; sent += block.length) {
    await new Promise<void>((resolve) => {
      if (socket.destroyed) resolve()
      else {
        socket.once('close', resolve)
        socket.write(block, () => {
          socket.off('close', resolve)
          resolve()
        })
      }
    })
  }
  socket.end()
  return '226 done'
}
