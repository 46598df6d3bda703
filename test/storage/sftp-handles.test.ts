import { expect } from 'chai'
import fc from 'fast-check'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { mock } from 'node:test'
import { tmpdir } from 'node:os'
import path from 'node:path'
import {
  startEmbeddedSftpServer,
  type EmbeddedSftpOptions,
  type EmbeddedSftpServer,
} from '../../src/demo/embedded-sftp-server.js'
import { createDialer } from '../../src/storage/dialer.js'
import type { Connection, Entry } from '../../src/storage/driver.js'
import { createSftpDriver } from '../../src/storage/sftp/sftp-driver.js'
import { labFor, type Lab } from '../lab/lab.js'
import { TcpTap } from '../support/tcp-tap.js'
import { chunks, get, pattern } from './conformance/world.js'

const DEADLINES = { connect: 15_000, metadata: 15_000, firstByte: 15_000, stall: 15_000 }
const driver = createSftpDriver({ deadlines: DEADLINES, dial: createDialer({ allow: ['127.0.0.0/8'] }) })

async function readWhole(connection: Connection, name: string): Promise<[Entry, string]> {
  const opened = await connection.openFile?.(name)
  if (opened === undefined) throw new Error('SFTP opens files.')
  const parts: Buffer[] = []
  await connection.read(name, undefined, (chunk) => void parts.push(Buffer.from(chunk)), { opened })
  return [opened.entry, Buffer.concat(parts).toString()]
}

/** Stores as an upload does. @returns what is told of it */
async function store(connection: Connection, name: string, content: string): Promise<Entry | undefined> {
  let entry: Entry | undefined
  const onStored = (found: Entry) => {
    entry = found
  }
  await connection.write(name, chunks(content), { size: Buffer.byteLength(content), onStored })
  return entry
}

describe('a small file over SFTP', () => {
  let root: string
  let server: EmbeddedSftpServer
  let connection: Connection
  let asked: string[]

  async function stop(): Promise<void> {
    connection.close()
    await server.close()
  }

  async function serve(options: Partial<EmbeddedSftpOptions> = {}): Promise<void> {
    asked = []
    server = await startEmbeddedSftpServer({
      users: [{ username: 'user1', password: 'right', root }],
      software: 'OpenSSH_9.2p1',
      intercept: ({ operation }) => void asked.push(operation),
      ...options,
    })
    const trust = { kind: 'pinned' as const, fingerprints: [server.fingerprint] }
    const endpoint = { protocol: 'sftp' as const, host: '127.0.0.1', port: server.port, trust }
    connection = await driver.connect(endpoint, { username: 'user1', password: 'right' })
  }

  beforeEach(async () => {
    root = await mkdtemp(path.join(tmpdir(), 'ftpcluster-handles-'))
    await writeFile(path.join(root, 'file'), 'content')
  })
  afterEach(async () => {
    await stop()
    await rm(root, { recursive: true })
  })

  const questions = async (work: () => Promise<unknown>) => {
    await connection.ping()
    asked.length = 0
    await work()
    return asked.join(' ')
  }

  it('is asked for whole with its OPEN, once the server gave the same handle twice', async () => {
    await serve()
    const read = () => questions(() => readWhole(connection, '/file'))
    for (let time = 0; time < 2; time++) expect(await read()).to.match(/^OPEN LSTAT FSTAT READ/)
    expect(await read()).to.match(/^OPEN FSTAT READ READ LSTAT/)
  })

  it('is asked for after its OPEN where every handle is another one, or the order of requests is not known', async () => {
    let next = 0
    for (const options of [{ wishedHandle: () => next++ }, { software: 'another-1.0' }]) {
      await serve(options)
      for (let time = 0; time < 4; time++) {
        expect(await questions(() => readWhole(connection, '/file'))).to.match(/^OPEN LSTAT FSTAT READ/)
      }
      await stop()
    }
  })

  it('is stored by one OPEN, whatever handle comes, and told as it stands there', async () => {
    for (const handles of [
      [0, 0, 0, 0],
      [0, 0, 7, 0],
      [0, 0, 7, 7],
    ]) {
      await serve({ wishedHandle: () => handles.shift() ?? 0 })
      for (const content of ['one', 'two', 'three', '']) {
        const told = await store(connection, '/new', content)
        expect(await readFile(path.join(root, 'new'), 'utf8')).to.equal(content)
        expect(told).to.deep.equal(await connection.stat('/new'))
        expect(server.openHandles).to.equal(0)
      }
      await stop()
    }
  })

  it('is told no handle before it is given while another file is open', async () => {
    await serve()
    for (let time = 0; time < 3; time++) await store(connection, '/new', 'before')
    expect(await questions(() => store(connection, '/new', 'again'))).to.equal('OPEN WRITE CLOSE LSTAT')
    const opened = await connection.openFile?.('/file')
    expect(await questions(() => store(connection, '/new', 'beside'))).to.equal('OPEN WRITE CLOSE LSTAT')
    opened?.close()
    expect(await questions(() => store(connection, '/new', 'after'))).to.equal('OPEN WRITE CLOSE LSTAT')
    expect(await readFile(path.join(root, 'new'), 'utf8')).to.equal('after')
  })

  it('that cannot be opened is the error of its OPEN, and nothing is stored elsewhere', async () => {
    await serve()
    for (let time = 0; time < 3; time++) await store(connection, '/new', 'stored')
    const exclusive = connection.write('/new', chunks('other'), { size: 5, exclusive: true })
    expect(await exclusive.catch((error: unknown) => error)).to.include({ code: 'ALREADY_EXISTS' })
    const homeless = connection.write('/none/new', chunks('other'), { size: 5 })
    expect(await homeless.catch((error: unknown) => error)).to.include({ code: 'NOT_FOUND' })
    expect(await readWhole(connection, '/none').catch((error: unknown) => error)).to.include({ code: 'NOT_FOUND' })
    expect((await readWhole(connection, '/new'))[1]).to.equal('stored')
    await connection.ping()
    expect(server.openHandles).to.equal(0)
    expect(await questions(() => readWhole(connection, '/new'))).to.match(/^OPEN FSTAT READ/)
  })

  it('is taken from its source only after its OPEN when the server was silent for a while', async () => {
    await serve()
    for (let time = 0; time < 3; time++) await store(connection, '/new', 'before')
    const askedFirst = async () => {
      let before: string[] = []
      async function* source() {
        before = [...asked]
        yield Buffer.from('content')
        await Promise.resolve()
      }
      asked.length = 0
      await connection.write('/new', source(), { size: 7 })
      return before
    }
    expect(await askedFirst()).to.deep.equal([])
    const now = performance.now.bind(performance)
    const clock = mock.method(performance, 'now', () => now() + 2000)
    try {
      expect(await askedFirst()).to.deep.equal(['OPEN'])
    } finally {
      clock.mock.restore()
    }
  })

  it('may be announced with any size', async () => {
    await serve()
    const content = pattern(600_000)
    for (const size of [0, 3, 100_000, 250_000, 5_000_000, undefined]) {
      for (const length of [0, 3, 1000, 200_000, 600_000]) {
        const parts = Array.from({ length: Math.ceil(length / 50_000) }, (_, n) =>
          content.subarray(n * 50_000, Math.min(length, (n + 1) * 50_000)),
        )
        expect(await connection.write('/new', chunks(...parts), { size })).to.equal(length)
        const stored = await readFile(path.join(root, 'new'))
        expect(stored.equals(content.subarray(0, length)), `${length} of ${size}`).to.equal(true)
      }
    }
    expect(server.openHandles).to.equal(0)
  })

  it('is what was asked for, whatever handles the server gives', async () => {
    const step = fc.constantFrom('read', 'store', 'store again', 'list', 'read nothing', 'open and close')
    const handle = fc.integer({ min: 0, max: 2 })
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 30 }),
        fc.array(handle, { maxLength: 30 }),
        async (steps, handles) => {
          await serve({ wishedHandle: () => handles.shift() ?? 0 })
          for (const [n, what] of steps.entries()) {
            const name = `/file-${n % 3}`
            const content = `${n} `.repeat(n * 100)
            if (what === 'list') await connection.list('/')
            else if (what === 'store again') {
              const again = connection.write('/file', chunks('other'), { size: 5, exclusive: true })
              expect(await again.catch((error: unknown) => error)).to.include({ code: 'ALREADY_EXISTS' })
            } else if (what === 'open and close') (await connection.openFile?.('/file'))?.close()
            else if (what === 'read nothing') await readWhole(connection, '/nothing').catch(() => undefined)
            else {
              if (what === 'store') await store(connection, name, content)
              else await writeFile(path.join(root, name), content)
              expect((await readWhole(connection, name))[1]).to.equal(content)
              expect((await get(connection, name)).toString()).to.equal(content)
            }
          }
          await connection.ping()
          expect(server.openHandles).to.equal(0)
          connection.close()
          await server.close()
        },
      ),
      { numRuns: 20 },
    )
  })
})

describe('a small file on OpenSSH', function () {
  this.timeout(60_000)
  let lab: Lab
  before(async function () {
    lab = await labFor(this, { daemons: ['sshd'] })
  })
  after(() => lab?.stop())

  it('is stored in one round trip and read in one, after the first two', async () => {
    const daemon = lab.daemon('sshd')
    const eve = daemon.account('eve')
    const tap = new TcpTap(daemon.endpoint.port)
    const connection = await driver.connect({ ...daemon.endpoint, port: await tap.listen() }, eve)
    try {
      const name = `${eve.remoteHome}/small`
      for (let time = 0; time < 2; time++) await store(connection, name, 'content')
      tap.turns = 0
      for (let time = 0; time < 10; time++) await store(connection, name, `content ${time}`)
      expect(tap.turns).to.equal(10)
      for (let time = 0; time < 10; time++) expect((await readWhole(connection, name))[1]).to.equal('content 9')
      expect(tap.turns).to.equal(20)
    } finally {
      connection.close()
      tap.close()
    }
  })
})
