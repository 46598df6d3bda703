import { expect } from 'chai'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { createDialer } from '../../src/storage/dialer.js'
import type { Connection, OpenFile, OpenOptions, ReadOptions } from '../../src/storage/driver.js'
import type { StorageError } from '../../src/storage/errors.js'
import { createFtpDriver } from '../../src/storage/ftp/ftp-driver.js'
import { bytes } from './conformance/world.js'
import { FakeFtpServer, type FakeSession, type Script } from './fake-ftp-server.js'

const SHORT = 300
const MB = 1024 * 1024
const FILE = '250-Listing\r\n type=file;size=7;modify=20240102030405; /file\r\n250 End'
const FROM_START = { likely: { start: 0, end: 6 } }

let offset = 0

/** `content` from the offset on. */
async function send(session: FakeSession): Promise<string> {
  const data = await session.data()
  session.send('150 here')
  await gone(data.end('content'.slice(offset)))
  offset = 0
  return '226 done'
}

async function gone(data: Socket): Promise<void> {
  if (!data.destroyed) await new Promise((resolve) => data.once('close', resolve))
}

describe('a file that is looked at and asked for at once (FTP)', () => {
  const closing: (() => unknown)[] = []
  let fake: FakeFtpServer
  let c: Connection

  beforeEach(() => {
    offset = 0
  })
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close()
  })

  async function start(
    scripts: Readonly<Record<string, Script>> = {},
    several?: (lines: string[], session: FakeSession) => string[],
  ): Promise<void> {
    fake = await FakeFtpServer.start({
      scripts: {
        FEAT: '211-Features:\r\n MLST type*;size*;modify*;\r\n211 End',
        MLST: FILE,
        REST: (_, argument) => {
          offset = Number(argument)
          return '350 go on'
        },
        RETR: send,
        ...scripts,
      },
      ...(several ? { several } : {}),
    })
    closing.push(() => fake.close())
    const driver = createFtpDriver({
      deadlines: { connect: 5000, metadata: 5000, firstByte: SHORT, stall: SHORT },
      dial: createDialer({ allow: ['127.0.0.0/8'] }),
    })
    const endpoint = { protocol: 'ftp', host: '127.0.0.1', port: fake.port, trust: { kind: 'none' } } as const
    c = await driver.connect(endpoint, { username: 'ann', password: 'secret' })
    closing.push(() => c.close())
    fake.packets.length = 0
  }

  async function open(options: OpenOptions = FROM_START): Promise<OpenFile> {
    const file = await c.openFile?.('/file', options)
    if (file === undefined) throw new Error('It cannot.')
    return file
  }

  async function read(start: number, options: ReadOptions): Promise<string> {
    let text = ''
    await c.read('/file', { start }, (chunk) => void (text += chunk.toString()), options)
    return text
  }

  const failure = (attempt: Promise<unknown>) => attempt.catch((error: unknown) => error) as Promise<StorageError>
  const verbs = () => fake.packets.map((packet) => packet.replaceAll(/ [^+]*/g, '')).join(' ')

  it('costs one packet, from any byte on', async () => {
    await start()
    let opened = await open()
    expect(opened.entry).to.include({ name: 'file', type: 'file', size: 7, modified: Date.UTC(2024, 0, 2, 3, 4, 5) })
    expect(opened.held).to.equal(false)
    expect(await read(0, { opened })).to.equal('content')
    opened.close()
    opened = await open({ likely: { start: 3 } })
    expect(await read(3, { opened })).to.equal('tent')
    expect(fake.packets).to.deep.equal(['EPSV', 'MLST /file+RETR /file', 'EPSV', 'MLST /file+REST 3+RETR /file'])
  })

  it('costs one packet without MLST', async () => {
    await start({ FEAT: '211-Features:\r\n SIZE\r\n MDTM\r\n211 End', SIZE: '213 7', MDTM: '213 20240102030405' })
    const opened = await open()
    expect(await read(0, { opened })).to.equal('content')
    expect(opened.entry).to.deep.equal(await c.stat('/file'))
    expect(verbs()).to.equal('EPSV SIZE+MDTM+RETR SIZE+MDTM')
  })

  it('is only looked at where that may not be all, and where nothing is likely to be read', async () => {
    await start()
    for (const options of [{}, { likely: { start: 0, end: -1 } }, { ...FROM_START, symlink: true }]) {
      const opened = await open(options)
      expect(opened.entry.size).to.equal(7)
      opened.close()
    }
    expect(verbs()).to.equal('MLST MLST MLST')
  })

  it('is asked for after the look where the server takes one command at a time', async () => {
    await start({}, (_, session) => {
      session.end()
      return []
    })
    const opened = await open({ likely: { start: 3 } })
    expect(await read(3, { opened })).to.equal('tent')
    expect(verbs()).to.equal('MLST EPSV REST RETR')
  })

  it('is asked for anew, from elsewhere than was likely; what came of the first time is given to nobody', async () => {
    await start()
    const opened = await open()
    expect(await read(4, { opened })).to.equal('ent')
    expect(verbs()).to.equal('EPSV MLST+RETR NOOP EPSV REST+RETR')
  })

  it('is given to nobody from its first byte on when the server does not skip the others', async () => {
    await start({ REST: '502 not here' })
    for (const opened of [await open({ likely: { start: 3 } }), undefined]) {
      const error = await failure(read(3, { opened }))
      expect(error).to.include({ code: 'UNSUPPORTED', inStep: true })
    }
    await c.ping()
  })

  it('is none where a folder stands now, which is told', async () => {
    await start({
      MLST: '250-Listing\r\n type=dir;modify=20240102030405; /file\r\n250 End',
      RETR: '550 Not a plain file',
    })
    const opened = await open({ likely: { start: 3 } })
    expect(opened.entry.type).to.equal('directory')
    opened.close()
    await c.ping()
    expect(verbs()).to.equal('EPSV MLST+REST+RETR NOOP REST MLST NOOP')
  })

  it('that has become a link is looked at to the end; what comes meanwhile is given to nobody', async () => {
    await start({
      MLST: '250-Listing\r\n type=OS.unix=slink:;size=1; /file\r\n250 End',
      SIZE: '213 7',
      MDTM: '213 20240102030405',
    })
    const opened = await open()
    expect(opened.entry).to.include({ type: 'file', symlink: true, size: 7 })
    expect(await read(0, { opened })).to.equal('content')
    expect(verbs()).to.equal('EPSV MLST+RETR NOOP MLST SIZE+MDTM EPSV RETR')
  })

  it('that is gone is NOT_FOUND, and the connection stays in step', async () => {
    await start({ MLST: '550 No such file', RETR: '550 No such file' })
    expect(await failure(open())).to.include({ code: 'NOT_FOUND', inStep: true })
    await c.ping()
  })

  it('that may not be read says so when it is read', async () => {
    await start({ RETR: '550 Permission denied' })
    const opened = await open()
    expect(await failure(read(0, { opened }))).to.include({ code: 'DENIED', inStep: true })
    await c.ping()
  })

  it('is asked for again when the server has let go of its data connection', async () => {
    let refusals = 0
    await start({ RETR: (session) => (refusals-- > 0 ? '425 use EPSV first' : send(session)) })
    // Until the server has shown that it has many ports.
    while ((await bytes(c, '/file'), await c.ping(), fake.lines.at(-2)) !== 'EPSV') continue
    fake.packets.length = 0
    refusals = 1
    const opened = await open()
    expect(await read(0, { opened })).to.equal('content')
    expect(verbs()).to.equal('MLST+RETR NOOP EPSV RETR')
  })

  it('left unread ends its data connection, and what comes next waits for the replies', async () => {
    let data: Socket | undefined
    const ended: string[] = []
    await start({
      RETR: async (session) => {
        data = await session.data()
        session.send('150 here')
        data.write(Buffer.alloc(MB))
        await gone(data)
        await new Promise((resolve) => setTimeout(resolve, 50))
        ended.push('RETR')
        return '426 the data connection is gone'
      },
      NOOP: () => {
        ended.push('NOOP')
        return '200 ok'
      },
    })
    const opened = await open()
    opened.close()
    opened.close()
    expect(c.open).to.equal(true)
    expect((await c.stat('/file')).size).to.equal(7)
    expect(data?.destroyed).to.equal(true)
    expect(ended).to.deep.equal(['RETR', 'NOOP'])
    expect(verbs()).to.equal('EPSV MLST+RETR NOOP MLST')
  })

  it('left unread ends the connection when the server does not say how the transfer ended', async () => {
    await start({ RETR: async (session) => void (await session.data(), session.send('150 here')) })
    const opened = await open()
    opened.close()
    const began = performance.now()
    expect((await failure(c.ping())).code, 'for another connection').to.equal('CONNECTION_LOST')
    expect(performance.now() - began).to.be.below(4500)
    expect(c.open).to.equal(false)
  }).timeout(10_000)

  it('comes no further than the buffers reach while nobody reads it', async () => {
    let sent = 0
    const total = 64 * MB
    await start({
      RETR: async (session) => {
        const data = await session.data()
        session.send('150 here')
        for (; sent < total; sent += MB) if (!data.write(Buffer.alloc(MB))) await once(data, 'drain')
        await gone(data.end())
        return '226 done'
      },
    })
    const opened = await open()
    for (let before = -1; before < sent; await new Promise((resolve) => setTimeout(resolve, 2 * SHORT))) before = sent
    expect(sent).to.be.below(total / 2)
    expect(c.open, 'nobody read: no stall of the server').to.equal(true)
    let length = 0
    await c.read('/file', undefined, (chunk) => void (length += chunk.length), { opened })
    expect(length).to.equal(total)
  }).timeout(20_000)

  it('ends by the deadline of a first byte, counted from when it is read', async () => {
    await start({ RETR: async (session) => void (await session.data(), session.send('150 here')) })
    const opened = await open()
    expect(await failure(read(0, { opened }))).to.include({ code: 'TIMED_OUT', inStep: false })
  })

  it('ends with a signal, before it is read and meanwhile', async () => {
    await start()
    const stopped = await open()
    expect(await failure(read(0, { opened: stopped, signal: AbortSignal.abort() }))).to.include({
      code: 'ABORTED',
      inStep: true,
    })
    await c.ping()
    const stop = new AbortController()
    const opened = await open()
    const reading = c.read('/file', undefined, () => stop.abort(), { opened, signal: stop.signal })
    expect(await failure(reading)).to.have.property('code', 'ABORTED')
  })

  it('ends with its connection', async () => {
    await start()
    const opened = await open()
    c.close()
    expect(await failure(read(0, { opened }))).to.include({ code: 'CONNECTION_LOST', inStep: false })
  })
})
