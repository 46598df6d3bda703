import { expect } from 'chai'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { createDialer } from '../../src/storage/dialer.js'
import type { Connection } from '../../src/storage/driver.js'
import { createFtpDriver } from '../../src/storage/ftp/ftp-driver.js'
import { bytes, chunks } from './conformance/world.js'
import { FakeFtpServer, type FakeSession, type Script } from './fake-ftp-server.js'

const driver = createFtpDriver({
  deadlines: { connect: 5000, metadata: 5000, firstByte: 5000, stall: 5000 },
  dial: createDialer({ allow: ['127.0.0.0/8'] }),
})

describe('a data connection that is prepared', () => {
  let fake: FakeFtpServer
  let c: Connection
  let session: FakeSession
  let stored: string
  /** How often RETR and STOR are still refused. */
  let refusals: number
  let refusal: string

  beforeEach(async () => {
    stored = ''
    refusals = 0
    refusal = '425 use EPSV first'
    const unlessRefused =
      (transfer: (data: Socket) => Promise<void>): Script =>
      async (current) => {
        session = current
        const data = await current.data()
        if (refusals-- > 0 || data.destroyed) return refusal
        current.send('150 here')
        await transfer(data)
        return '226 done'
      }
    fake = await FakeFtpServer.start({
      scripts: {
        REST: () => '350 go on',
        RETR: unlessRefused(async (data) => void (await once(data.end('content'), 'close'))),
        STOR: unlessRefused(async (data) => {
          for await (const chunk of data) stored += String(chunk)
        }),
      },
    })
    c = await connect()
  })
  afterEach(async () => {
    c.close()
    await fake.close()
  })

  async function sent(work: () => Promise<unknown>): Promise<string> {
    const before = fake.verbs.length
    await work()
    await c.ping()
    return fake.verbs.slice(before, -1).join(' ')
  }

  /** Transfers, until the server has shown that it has many ports. @returns the data connection that is ready */
  async function prepare(): Promise<Socket> {
    while (!(await sent(() => bytes(c, '/file'))).endsWith('EPSV')) continue
    return session.data()
  }

  it('is what the next transfer takes', async () => {
    await prepare()
    expect(await sent(() => bytes(c, '/file'))).to.equal('RETR EPSV')
    expect(await sent(() => c.write('/file', chunks('saved')))).to.equal('STOR EPSV')
    expect(stored).to.equal('saved')
  })

  it('is not there for a single transfer', async () => {
    expect(await sent(() => bytes(c, '/file'))).to.equal('EPSV RETR')
  })

  it('is not missed when the server refuses to use it', async () => {
    for (refusal of ['425 use EPSV first', '426 it is gone', '503 bad sequence of commands']) {
      await prepare()
      refusals = 1
      expect(String(await bytes(c, '/file'))).to.equal('content')
      c.close()
      c = await connect()
    }
    await prepare()
    refusals = 1
    expect(await sent(() => c.write('/file', chunks('saved')))).to.equal('STOR EPSV STOR')
    expect(stored).to.equal('saved')
  })

  it('leaves no offset for the next transfer when it was refused', async () => {
    await prepare()
    refusals = 1
    expect(await sent(() => bytes(c, '/file', 1))).to.equal('REST RETR NOOP REST EPSV REST RETR')
    expect(fake.lines.filter((line) => line.startsWith('REST'))).to.deep.equal(['REST 1', 'REST 0', 'REST 1'])
  })

  it('is tried once: a server that refuses the next one as well is believed', async () => {
    await prepare()
    refusals = 2
    const error: unknown = await bytes(c, '/file').catch((cause: unknown) => cause)
    expect(error).to.include({ code: 'CONNECTION_LOST', inStep: true })
  })

  it('is not missed when the server closed it', async () => {
    const data = await prepare()
    data.resetAndDestroy()
    // Its end may come before or after the next command.
    expect(String(await bytes(c, '/file'))).to.equal('content')
  })

  it('is not used when something was sent on it before its time', async () => {
    const data = await prepare()
    const gone = once(data, 'close')
    data.write('not of this file')
    await new Promise<void>((resolve) => data.end(resolve))
    await c.ping()
    expect(String(await bytes(c, '/file'))).to.equal('content')
    await gone
  })

  it('is closed with its connection', async () => {
    const data = await prepare()
    const gone = once(data.resume(), 'close')
    c.close()
    await gone
  })

  it('is closed when no transfer comes, and the next one asks anew', async () => {
    const data = await prepare()
    await once(data.resume(), 'close')
    expect(c.open).to.equal(true)
    expect(await sent(() => bytes(c, '/file'))).to.equal('EPSV RETR')
  })

  function connect(): Promise<Connection> {
    const endpoint = { protocol: 'ftp', host: '127.0.0.1', port: fake.port, trust: { kind: 'none' } } as const
    return driver.connect(endpoint, { username: 'ann', password: 'secret' })
  }
})
