import { expect } from 'chai'
import { mkdir, mkdtemp, readFile, rename, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { mock } from 'node:test'
import ssh2 from 'ssh2'
import {
  startEmbeddedSftpServer,
  type EmbeddedSftpOptions,
  type EmbeddedSftpServer,
} from '../../src/demo/embedded-sftp-server.js'
import { createDialer } from '../../src/storage/dialer.js'
import type { ByteRange, Connection, Deadlines, Endpoint, Entry, Login, OpenFile } from '../../src/storage/driver.js'
import { StorageError, type StorageErrorCode } from '../../src/storage/errors.js'
import { newKeyPair } from '../../src/storage/sftp/key-pair.js'
import { createSftpDriver } from '../../src/storage/sftp/sftp-driver.js'
import { fingerprintOf } from '../../src/storage/sftp/sftp-login.js'
import { bytes, chunks, get, names, pattern, put } from './conformance/world.js'
import { describeDriverConformance, type ConformanceSetup } from './driver-conformance.js'

const PATIENT: Deadlines = { connect: 15_000, metadata: 15_000, firstByte: 15_000, stall: 15_000 }
const dial = createDialer({ allow: ['127.0.0.0/8'] })
const driver = createSftpDriver({ deadlines: PATIENT, dial })

function endpointOf(server: EmbeddedSftpServer, fingerprint = server.fingerprint): Endpoint {
  return {
    protocol: 'sftp',
    host: '127.0.0.1',
    port: server.port,
    trust: { kind: 'pinned', fingerprints: [fingerprint] },
  }
}

async function fails(attempt: Promise<unknown>, code: StorageErrorCode): Promise<StorageError> {
  let result: unknown
  try {
    result = await attempt
  } catch (error) {
    if (!(error instanceof StorageError)) throw error
    expect(error.code, error.message).to.equal(code)
    return error
  }
  throw new Error(`It succeeded: ${JSON.stringify(result)}`)
}

function conformanceOn(options: Partial<EmbeddedSftpOptions>): () => Promise<ConformanceSetup> {
  return async () => {
    const root = await mkdtemp(path.join(tmpdir(), 'ftpcluster-sftp-'))
    await mkdir(path.join(root, 'work'))
    const server = await startEmbeddedSftpServer({
      users: [{ username: 'user1', password: 'right', root }],
      ...options,
    })
    return {
      connect: () => driver.connect(endpointOf(server), { username: 'user1', password: 'right' }),
      connectRejected: () => driver.connect(endpointOf(server), { username: 'user1', password: 'wrong' }),
      folder: '/work',
      plantLink: (target, at) => symlink(target, path.join(root, at)),
      plantTime: (at, modified) => utimes(path.join(root, at), modified / 1000, modified / 1000),
      close: async () => {
        await server.close()
        await rm(root, { recursive: true })
      },
    }
  }
}

describeDriverConformance('SFTP, embedded server', conformanceOn({}))
describeDriverConformance('SFTP, embedded server without extensions', conformanceOn({ extensions: [] }))

describe('SFTP driver', () => {
  let root: string
  const servers: EmbeddedSftpServer[] = []
  const connections: Connection[] = []

  beforeEach(async () => {
    root = await mkdtemp(path.join(tmpdir(), 'ftpcluster-sftp-'))
  })

  afterEach(async () => {
    for (const connection of connections.splice(0)) connection.close()
    for (const server of servers.splice(0)) await server.close()
    await rm(root, { recursive: true })
  })

  async function serve(options: Partial<EmbeddedSftpOptions> = {}): Promise<EmbeddedSftpServer> {
    const server = await startEmbeddedSftpServer({
      users: [{ username: 'user1', password: 'right', root }],
      ...options,
    })
    servers.push(server)
    return server
  }

  async function connect(
    server: EmbeddedSftpServer,
    login: Login = { username: 'user1', password: 'right' },
    deadlines = PATIENT,
  ): Promise<Connection> {
    const connection = await createSftpDriver({ deadlines, dial }).connect(endpointOf(server), login)
    connections.push(connection)
    return connection
  }

  describe('trust', () => {
    it('tells the fingerprint of a server without sending a credential', async () => {
      const server = await serve()
      expect(await driver.fingerprint(endpointOf(server))).to.equal(server.fingerprint)
      expect(server.fingerprint).to.match(/^SHA256:[A-Za-z0-9+/]{43}$/)
      expect(server.logins).to.deep.equal([])
    })

    it('makes no login attempt on a server with a changed host key', async () => {
      const [before, after] = [await serve(), await serve()]
      const attempt = driver.connect(endpointOf(after, before.fingerprint), { username: 'user1', password: 'right' })
      const error = await fails(attempt, 'UNTRUSTED')
      expect(error.message).to.include(after.fingerprint)
      expect(after.logins).to.deep.equal([])
    })

    it('trusts nothing where nothing is pinned', async () => {
      const server = await serve()
      for (const trust of [{ kind: 'none' }, { kind: 'public-ca' }, { kind: 'pinned', fingerprints: [] }] as const) {
        const attempt = driver.connect({ ...endpointOf(server), trust }, { username: 'user1', password: 'right' })
        await fails(attempt, 'UNTRUSTED')
      }
      expect(server.logins).to.deep.equal([])
    })

    it('shows the fingerprint among the traits', async () => {
      const server = await serve()
      expect((await connect(server)).traits.fingerprint).to.equal(server.fingerprint)
    })
  })

  describe('login', () => {
    it('with a wrong password is exactly one attempt, whatever else the server offers', async () => {
      const server = await serve()
      const error = await fails(connect(server, { username: 'user1', password: 'wrong' }), 'LOGIN_REJECTED')
      expect(error.message).to.not.include('wrong')
      expect(server.logins).to.deep.equal([{ username: 'user1', method: 'password', accepted: false }])
    })

    it('answers a keyboard-interactive question with the password, once', async () => {
      const server = await serve({ methods: ['keyboard-interactive'] })
      await connect(server)
      await fails(connect(server, { username: 'user1', password: 'wrong' }), 'LOGIN_REJECTED')
      expect(server.logins.map(({ method, accepted }) => [method, accepted])).to.deep.equal([
        ['keyboard-interactive', true],
        ['keyboard-interactive', false],
      ])
    })

    it('sends no credential that the server does not take', async () => {
      const server = await serve({ methods: ['publickey'] })
      await fails(connect(server), 'LOGIN_REJECTED')
      expect(server.logins).to.deep.equal([])
    })

    it('takes a private key, encrypted or not', async () => {
      const plain = newKeyPair()
      const locked = ssh2.utils.generateKeyPairSync('rsa', {
        bits: 2048,
        passphrase: 'opens',
        cipher: 'aes256-ctr',
        rounds: 4,
      })
      const server = await serve({
        users: [
          { username: 'plain', publicKey: plain.publicKey, root },
          { username: 'locked', publicKey: locked.public, root },
        ],
      })
      await (await connect(server, { username: 'plain', privateKey: plain.privateKey })).ping()
      await (await connect(server, { username: 'locked', privateKey: locked.private, passphrase: 'opens' })).ping()
    })

    it('names what is wrong with a key before it connects', async () => {
      const locked = ssh2.utils.generateKeyPairSync('ed25519', { passphrase: 'opens', cipher: 'aes256-ctr', rounds: 4 })
      const server = await serve()
      const wrong = { username: 'user1', privateKey: locked.private, passphrase: 'does not' }
      expect((await fails(connect(server, wrong), 'LOGIN_REJECTED')).message).to.include('passphrase does not open')
      const none = { username: 'user1', privateKey: locked.private }
      expect((await fails(connect(server, none), 'LOGIN_REJECTED')).message).to.include('no passphrase')
      const broken = { username: 'user1', privateKey: 'no key at all' }
      expect((await fails(connect(server, broken), 'LOGIN_REJECTED')).message).to.include('cannot be read')
      const half = { username: 'user1', privateKey: locked.public }
      expect((await fails(connect(server, half), 'LOGIN_REJECTED')).message).to.include('public key')
      expect(server.connections).to.equal(0)
    })

    it('with a key that the server does not know is one attempt', async () => {
      const known = newKeyPair()
      const other = newKeyPair()
      const server = await serve({
        users: [{ username: 'user1', publicKey: known.publicKey, password: 'right', root }],
      })
      const login = { username: 'user1', privateKey: other.privateKey, password: 'right' }
      await fails(connect(server, login), 'LOGIN_REJECTED')
      expect(server.logins.map(({ method }) => method)).to.deep.equal(['publickey'])
    })
  })

  describe('a server that is fine', () => {
    /** Lets everybody in, and does with their sessions what `onSession` says. */
    async function connectTo(onLogin: (client: ssh2.Connection) => void, pinned?: string): Promise<StorageError> {
      const hostKey = newKeyPair()
      const clients = new Set<ssh2.Connection>()
      const server = new ssh2.Server({ hostKeys: [hostKey.privateKey] }, (client) => {
        clients.add(client)
        client.on('error', () => undefined)
        client.on('authentication', (context) =>
          context.method === 'password' ? context.accept() : context.reject(['password']),
        )
        client.on('ready', () => onLogin(client))
      })
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      try {
        const port = (server.address() as AddressInfo).port
        const blob = Buffer.from(hostKey.publicKey.split(' ')[1] ?? '', 'base64')
        const fingerprints = [pinned ?? fingerprintOf(blob)]
        const endpoint: Endpoint = {
          protocol: 'sftp',
          host: '127.0.0.1',
          port,
          trust: { kind: 'pinned', fingerprints },
        }
        const attempt = driver.connect(endpoint, { username: 'user1', password: 'right' })
        return await attempt.then(
          () => Promise.reject(new Error('It succeeded.')),
          (error: StorageError) => error,
        )
      } finally {
        for (const client of clients) client.end()
        await new Promise((resolve) => server.close(resolve))
      }
    }

    it('is told from one that fails, when it offers this login no SFTP', async () => {
      const error = await connectTo((client) => client.on('session', (accept) => void accept()))
      expect(error).to.include({ code: 'PROTOCOL', reached: true })
    })

    it('is told from one that fails, when it hangs up on this login', async () => {
      expect(await connectTo((client) => client.end())).to.include({ reached: true })
    })

    it('is no server with another host key', async () => {
      const error = await connectTo(() => undefined, 'SHA256:' + 'A'.repeat(43))
      expect(error).to.include({ code: 'UNTRUSTED', reached: false })
    })
  })

  describe('deadlines', () => {
    const hasty = { ...PATIENT, metadata: 60, firstByte: 60, stall: 60 }
    const never = () => new Promise<never>(() => undefined)

    it('end a connect that gets no greeting', async () => {
      const silent = createSftpDriver({ deadlines: { ...PATIENT, connect: 60 }, dial: never })
      const server = await serve()
      await fails(silent.connect(endpointOf(server), { username: 'user1', password: 'right' }), 'TIMED_OUT')
      await fails(silent.fingerprint(endpointOf(server)), 'TIMED_OUT')
    })

    it('end every operation of a server that stands still, and the connection with it', async () => {
      await writeFile(path.join(root, 'file'), 'x')
      const operations: Record<string, (c: Connection) => Promise<unknown>> = {
        stat: (c) => c.stat('/file'),
        list: (c) => c.list('/'),
        read: (c) => c.read('/file', undefined, () => undefined),
        write: (c) => put(c, '/new', 'x'),
        makeDirectory: (c) => c.makeDirectory('/folder'),
        rename: (c) => c.rename('/file', '/other'),
        ping: (c) => c.ping(),
      }
      for (const [name, operation] of Object.entries(operations)) {
        let still = false
        const server = await serve({ intercept: () => (still ? never() : undefined) })
        const connection = await connect(server, undefined, hasty)
        still = true
        const error = await fails(operation(connection), 'TIMED_OUT')
        expect(error.inStep, name).to.equal(false)
        expect(connection.open, name).to.equal(false)
      }
    })

    it('end a read and a write that stop in the middle', async () => {
      await writeFile(path.join(root, 'file'), Buffer.alloc(1_000_000))
      for (const operation of ['READ', 'WRITE']) {
        let seen = 0
        const server = await serve({
          intercept: (request) => (request.operation === operation && ++seen > 3 ? never() : undefined),
        })
        const connection = await connect(server, undefined, hasty)
        const attempt =
          operation === 'READ'
            ? connection.read('/file', undefined, () => undefined)
            : put(connection, '/new', Buffer.alloc(1_000_000))
        await fails(attempt, 'TIMED_OUT')
        expect(connection.open).to.equal(false)
      }
    })

    it('do not run while the sink or the source is the one to act', async () => {
      const server = await serve()
      mock.timers.enable({ apis: ['setTimeout'] })
      try {
        const connection = await connect(server)
        // More than once: a wait in which bytes moved is granted a second one.
        const pause = () => {
          for (let i = 0; i < 3; i++) mock.timers.tick(2 * PATIENT.stall)
        }
        async function* slow() {
          pause()
          yield Buffer.from('one')
          pause()
          yield Buffer.alloc(300_000, 'two')
          // Answered after all that was sent before it.
          await connection.ping()
          pause()
          yield Buffer.from('three')
        }
        expect(await connection.write('/file', slow())).to.equal(300_008)
        let total = 0
        await connection.read('/file', undefined, (chunk) => {
          total += chunk.length
          pause()
        })
        expect(total).to.equal(300_008)
        expect(connection.open).to.equal(true)
      } finally {
        mock.timers.reset()
      }
    })
  })

  describe('transfers', () => {
    it('complete what a server answers short', async () => {
      const content = pattern(300_000)
      await writeFile(path.join(root, 'file'), content)
      const connection = await connect(await serve({ maxRead: 1000 }))
      expect((await bytes(connection, '/file')).equals(content)).to.equal(true)
      expect((await bytes(connection, '/file', 12_345, 54_321)).equals(content.subarray(12_345, 54_322))).to.equal(true)
    })

    it('ask for little more than a small range', async () => {
      await writeFile(path.join(root, 'file'), Buffer.alloc(5_000_000))
      let reads = 0
      const server = await serve({ intercept: ({ operation }) => void (reads += operation === 'READ' ? 1 : 0) })
      const connection = await connect(server)
      expect((await bytes(connection, '/file', 4_000_000, 4_000_009)).length).to.equal(10)
      expect(reads).to.equal(1)
    })

    it('say PROTOCOL when the file becomes shorter while it is read', async () => {
      const file = path.join(root, 'file')
      await writeFile(file, Buffer.alloc(2_000_000))
      let reads = 0
      const server = await serve({
        intercept: async ({ operation }) => {
          if (operation === 'READ' && ++reads === 5) await truncate(file, 100_000)
        },
      })
      const connection = await connect(server)
      const error = await fails(
        connection.read('/file', undefined, () => undefined),
        'PROTOCOL',
      )
      expect(error.inStep).to.equal(true)
      await connection.ping()
    })

    it('report a write that fails, in the middle and at the end, and leave no handle open', async () => {
      for (const failing of [2, 12]) {
        let writes = 0
        const server = await serve({
          intercept: ({ operation }) => (operation === 'WRITE' && ++writes === failing ? 4 : undefined),
        })
        const connection = await connect(server)
        const pieces = Array.from({ length: 12 }, () => Buffer.alloc(31_952))
        const error = await fails(connection.write('/new', chunks(...pieces)), 'PROTOCOL')
        expect(error.inStep).to.equal(true)
        await connection.ping()
        expect(server.openHandles).to.equal(0)
      }
    })

    it('tell what stands there in the same go, where the server keeps the order of requests', async () => {
      for (const [software, told] of [
        ['OpenSSH_9.2p1', 1],
        ['another-1.0', 0],
      ] as const) {
        const asked: string[] = []
        const server = await serve({ software, intercept: ({ operation }) => void asked.push(operation) })
        const connection = await connect(server)
        const found: Entry[] = []
        asked.length = 0
        const onStored = (entry: Entry) => void found.push(entry)
        expect(await connection.write('/new', chunks('hello'), { onStored })).to.equal(5)
        expect(asked).to.deep.equal(['OPEN', 'WRITE', 'CLOSE', ...(told ? ['LSTAT'] : [])])
        expect(found).to.deep.equal(told ? [await connection.stat('/new')] : [])
      }
    })

    it('tell nothing of a file that has another size than what was stored, or that cannot be looked at', async () => {
      const failures: (() => number | void | Promise<void>)[] = [
        () => 4,
        () => writeFile(path.join(root, 'new'), 'of another size'),
      ]
      for (const fail of failures) {
        const intercept: EmbeddedSftpOptions['intercept'] = ({ operation }) =>
          operation === 'LSTAT' ? fail() : undefined
        const connection = await connect(await serve({ software: 'OpenSSH_9.2p1', intercept }))
        const onStored = () => expect.fail()
        expect(await connection.write('/new', chunks('hello'), { onStored })).to.equal(5)
      }
    })

    describe('of a large file to a distant server', () => {
      const content = pattern(12_000_000)
      const pieces = () =>
        chunks(...Array.from({ length: 48 }, (_, n) => content.subarray(n * 250_000, (n + 1) * 250_000)))
      let asked: string[]

      /** Takes its time for all but writes: it is far away by what its answers take. */
      async function distant(options: Partial<EmbeddedSftpOptions> = {}): Promise<EmbeddedSftpServer> {
        asked = []
        return serve({
          software: 'OpenSSH_9.2p1',
          ...options,
          intercept: async (request) => {
            asked.push(request.operation)
            if (request.operation !== 'WRITE') await new Promise((resolve) => setTimeout(resolve, 5))
            return options.intercept?.(request)
          },
        })
      }
      const opened = () => asked.filter((operation) => operation === 'OPEN').length
      const stored = async () => (await readFile(path.join(root, 'new'))).equals(content)

      it('go by several channels, and all bytes are where they belong', async () => {
        const server = await distant()
        const connection = await connect(server)
        for (let n = 0; n < 2; n++) expect(await connection.write('/new', pieces())).to.equal(content.length)
        expect(opened()).to.equal(8)
        expect(await stored()).to.equal(true)
        await connection.ping()
        expect(server.openHandles).to.equal(0)
      })

      it('go by one where the server grants no more, or opens the file only once', async () => {
        const once: EmbeddedSftpOptions['intercept'] = ({ operation }) =>
          operation === 'OPEN' && opened() > 1 ? 4 : undefined
        for (const options of [{ maxChannels: 1 }, { intercept: once }, { software: 'another-1.0' }]) {
          const connection = await connect(await distant(options))
          expect(await connection.write('/new', pieces())).to.equal(content.length)
          expect(await stored()).to.equal(true)
          await connection.ping()
        }
      })

      it('go by one where another connection has found that the server is near', async () => {
        let busy = false
        asked = []
        const server = await serve({
          software: 'OpenSSH_9.2p1',
          intercept: async ({ operation }) => {
            asked.push(operation)
            if (busy && operation !== 'WRITE') await new Promise((resolve) => setTimeout(resolve, 5))
            return undefined
          },
        })
        const login = { username: 'user1', password: 'right' }
        connections.push(await driver.connect(endpointOf(server), login))
        for (let n = 0; n < 20; n++) await connections.at(-1)?.stat('/')
        busy = true
        asked = []
        const later = await driver.connect(endpointOf(server), login)
        connections.push(later)
        expect(await later.write('/new', pieces())).to.equal(content.length)
        expect(opened()).to.equal(1)
      })

      it('end as a whole when one channel fails or they are aborted, and leave no handle open', async () => {
        let writes = 0
        const fail: EmbeddedSftpOptions['intercept'] = ({ operation }) =>
          operation === 'WRITE' && ++writes === 40 ? 4 : undefined
        const server = await distant({ intercept: fail })
        const connection = await connect(server)
        expect((await fails(connection.write('/new', pieces()), 'PROTOCOL')).inStep).to.equal(true)
        await connection.ping()
        expect(server.openHandles).to.equal(0)

        const stop = new AbortController()
        async function* stopping() {
          let n = 0
          for await (const piece of pieces()) {
            if (++n === 40) stop.abort()
            yield piece
          }
        }
        const write = connection.write('/new', stopping(), { signal: stop.signal })
        expect((await fails(write, 'ABORTED')).inStep).to.equal(true)
        await connection.ping()
        expect(server.openHandles).to.equal(0)
      })
    })

    it('report a close that fails', async () => {
      const server = await serve({ intercept: ({ operation }) => (operation === 'CLOSE' ? 4 : undefined) })
      await fails(put(await connect(server), '/new', 'x'), 'PROTOCOL')
    })

    it('leave no handle open when they are aborted in the middle', async () => {
      await writeFile(path.join(root, 'file'), Buffer.alloc(3_000_000))
      const server = await serve()
      const connection = await connect(server)
      const stop = new AbortController()
      const read = connection.read('/file', undefined, () => stop.abort(), { signal: stop.signal })
      expect((await fails(read, 'ABORTED')).inStep).to.equal(true)
      await connection.ping()
      expect(server.openHandles).to.equal(0)

      const again = new AbortController()
      async function* endless() {
        for (let sent = 0; ; sent++) {
          if (sent === 10) again.abort()
          yield await Promise.resolve(Buffer.alloc(50_000))
        }
      }
      const write = connection.write('/new', endless(), { signal: again.signal })
      expect((await fails(write, 'ABORTED')).inStep).to.equal(true)
      expect(server.openHandles).to.equal(0)
    })

    it('put no late answer of a read that was given up among the bytes of another', async () => {
      for (const name of ['a', 'b']) await writeFile(path.join(root, name), Buffer.alloc(3_000_000, name))
      let asked = () => undefined as void
      const waiting = new Promise<void>((resolve) => (asked = resolve))
      let answer = () => undefined as void
      const held = new Promise<void>((resolve) => (answer = resolve))
      let first = true
      const server = await serve({
        intercept: async ({ operation }) => {
          if (operation !== 'READ' || !first) return undefined
          asked()
          await held
          return undefined
        },
      })
      const [one, other] = [await connect(server), await connect(server)]
      const stop = new AbortController()
      const given = one.read('/a', undefined, () => undefined, { signal: stop.signal })
      await waiting
      stop.abort()
      await fails(given, 'ABORTED')
      first = false
      const seen = new Set<number>()
      await other.read('/b', undefined, async (chunk) => {
        answer()
        await one.ping()
        for (const byte of chunk) seen.add(byte)
      })
      expect([...seen]).to.deep.equal(['b'.charCodeAt(0)])
    })

    it('say CONNECTION_LOST when the server goes in the middle', async () => {
      await writeFile(path.join(root, 'file'), Buffer.alloc(3_000_000))
      const server = await serve()
      const connection = await connect(server)
      const read = connection.read('/file', undefined, () => server.close())
      await fails(read, 'CONNECTION_LOST')
      expect(connection.open).to.equal(false)
    })

    it('give the mode to a new file', async () => {
      const connection = await connect(await serve())
      await connection.write('/secret', chunks('x'), { mode: 0o600, exclusive: true })
      expect((await connection.stat('/secret')).mode).to.equal(0o600)
    })
  })

  describe('a file that is opened when it is looked at', () => {
    const readOpened = async (connection: Connection, opened: OpenFile, range?: ByteRange) => {
      const parts: Buffer[] = []
      const sink = (chunk: Buffer) => void parts.push(Buffer.from(chunk))
      await connection.read('/file', range, sink, { opened })
      return Buffer.concat(parts)
    }
    const openOn = async (connection: Connection, likely?: ByteRange) => {
      const opened = await connection.openFile?.('/file', { likely })
      if (opened === undefined) throw new Error('SFTP opens files.')
      return opened
    }

    it('is what was opened, whatever part of it was expected and whatever size it had', async () => {
      const content = pattern(700_000)
      await writeFile(path.join(root, 'file'), content)
      const server = await serve()
      const connection = await connect(server)
      for (const likely of [undefined, { start: 0, end: 9 }, { start: 0, end: 5_000_000 }, { start: 400_000 }]) {
        for (const range of [undefined, { start: 0, end: 3 }, { start: 5, end: 650_000 }, { start: 400_000 }]) {
          const opened = await openOn(connection, likely)
          expect(opened.entry).to.deep.equal(await connection.stat('/file'))
          const got = await readOpened(connection, opened, range)
          const expected = content.subarray(range?.start ?? 0, range?.end === undefined ? undefined : range.end + 1)
          expect(got.equals(expected), JSON.stringify([likely, range])).to.equal(true)
        }
      }
      await connection.ping()
      expect(server.openHandles).to.equal(0)
    })

    it('stays the same file when another takes its name', async () => {
      await writeFile(path.join(root, 'file'), 'the old one')
      const connection = await connect(await serve())
      const opened = await openOn(connection)
      await writeFile(path.join(root, 'new'), 'another of another size')
      await rename(path.join(root, 'new'), path.join(root, 'file'))
      expect(opened.entry.size).to.equal(11)
      expect((await readOpened(connection, opened)).toString()).to.equal('the old one')
    })

    it('is told from a folder and from what is behind a link', async () => {
      await mkdir(path.join(root, 'file'))
      const connection = await connect(await serve())
      const look = async () => {
        const opened = await connection.openFile?.('/file').catch((error: unknown) => error)
        if (opened instanceof StorageError) return opened.code
        const file = opened as OpenFile
        file.close()
        return [file.entry.type, file.entry.symlink]
      }
      expect(await look()).to.deep.equal(['directory', false])
      await rm(path.join(root, 'file'), { recursive: true })
      expect(await look()).to.equal('NOT_FOUND')
      await writeFile(path.join(root, 'real'), 'x')
      await symlink('real', path.join(root, 'file'))
      expect(await look()).to.deep.equal(['file', true])
    })

    it('is closed when nobody reads it, when it cannot be looked at, and when its reader is gone', async () => {
      await writeFile(path.join(root, 'file'), Buffer.alloc(100_000))
      let failing = ''
      const server = await serve({ intercept: ({ operation }) => (operation === failing ? 4 : undefined) })
      const connection = await connect(server)
      ;(await openOn(connection)).close()
      for (failing of ['LSTAT', 'FSTAT']) await fails(openOn(connection), 'PROTOCOL')
      failing = ''
      const stop = new AbortController()
      const stopped = connection.openFile?.('/file', { signal: stop.signal }) ?? Promise.resolve()
      stop.abort()
      await fails(stopped, 'ABORTED')
      const opened = await openOn(connection)
      const sink = () => {
        throw new Error('the reader is gone')
      }
      await connection.read('/file', undefined, sink, { opened }).then(
        () => expect.fail(),
        (error: Error) => expect(error.message).to.equal('the reader is gone'),
      )
      for (let n = 0; n < 2; n++) await connection.ping()
      expect(server.openHandles).to.equal(0)
    })
  })

  describe('listings', () => {
    it('tell the time of the folder itself', async () => {
      await utimes(root, 1_000_000_000, 1_000_000_000)
      const connection = await connect(await serve())
      expect((await connection.list('/')).selfModified).to.equal(1_000_000_000_000)
    })

    it('leave out names that no path can hold or whose bytes are lost', async () => {
      await writeFile(path.join(root, 'Icon\r'), '')
      await writeFile(Buffer.concat([Buffer.from(root + '/latin-'), Buffer.of(0xe9)]), '')
      await writeFile(path.join(root, 'good'), '')
      expect(await names(await connect(await serve()), '/')).to.deep.equal(['good'])
    })

    it('fail as a whole when one of their answers does', async () => {
      for (let i = 0; i < 250; i++) await writeFile(path.join(root, `f${i}`), '')
      let asked = 0
      const server = await serve({
        intercept: ({ operation }) => (operation === 'READDIR' && ++asked === 2 ? 4 : undefined),
      })
      const connection = await connect(server)
      await fails(connection.list('/'), 'PROTOCOL')
      await connection.ping()
      expect(server.openHandles).to.equal(0)
    })

    it('take as long as names come, and end when none come', async () => {
      for (let i = 0; i < 1200; i++) await writeFile(path.join(root, `a name of some length, number ${i}`), '')
      let silent = false
      const server = await serve({
        intercept: async ({ operation }) => {
          if (operation !== 'READDIR') return undefined
          await new Promise((resolve) => (silent ? undefined : setTimeout(resolve, 60)))
          return undefined
        },
      })
      const connection = await connect(server, undefined, { ...PATIENT, metadata: 300 })
      const begun = performance.now()
      expect((await connection.list('/')).entries).to.have.length(1200)
      expect(performance.now() - begun, 'longer than one deadline').to.be.above(300)
      silent = true
      await fails(connection.list('/'), 'TIMED_OUT')
    })

    it('show a link to nothing as other, in stat as well', async () => {
      await symlink('nowhere', path.join(root, 'dangling'))
      const connection = await connect(await serve())
      expect(await connection.stat('/dangling')).to.include({ type: 'other', symlink: true, name: 'dangling' })
    })
  })

  describe('capabilities', () => {
    it('are methods only where the server offers the extension', async () => {
      const plain = await connect(await serve({ extensions: [] }))
      expect(plain).to.not.have.any.keys('freeSpace', 'sync', 'copyFile')
      expect(plain.traits.renameReplaces).to.equal(undefined)
      const rich = await connect(await serve())
      expect(rich).to.include.all.keys('freeSpace', 'sync')
      expect(rich.traits.renameReplaces).to.equal(true)
    })

    it('without posix-rename a rename onto a file is refused and both files stay', async () => {
      const connection = await connect(await serve({ extensions: [] }))
      await put(connection, '/a', 'a')
      await put(connection, '/b', 'b')
      const error = await fails(connection.rename('/a', '/b'), 'ALREADY_EXISTS')
      expect(error.inStep).to.equal(true)
      expect([await get(connection, '/a'), await get(connection, '/b')]).to.deep.equal(['a', 'b'])
    })

    it('refuse a time that SFTP cannot express', async () => {
      const connection = await connect(await serve())
      await put(connection, '/file', 'x')
      for (const time of [-1, 2 ** 32 * 1000, NaN]) {
        await fails(connection.setModified?.('/file', time) ?? Promise.resolve(), 'UNSUPPORTED')
      }
    })
  })

  it('prints nothing, even when connections break and logins fail', async () => {
    const printed: unknown[] = []
    const streams = [process.stdout, process.stderr]
    const spies = streams.map((stream) => mock.method(stream, 'write', (text: unknown) => printed.push(text) > 0))
    try {
      const server = await serve()
      await fails(connect(server, { username: 'user1', password: 'wrong' }), 'LOGIN_REJECTED')
      const left = await connect(server)
      left.close()
      const broken = await connect(server)
      await server.close()
      await fails(broken.stat('/'), 'CONNECTION_LOST')
      expect(broken.open).to.equal(false)
    } finally {
      for (const spy of spies) spy.mock.restore()
    }
    expect(printed).to.deep.equal([])
  })

  describe('embedded server', () => {
    it('lets no link lead out of the folder', async () => {
      const outside = await mkdtemp(path.join(tmpdir(), 'ftpcluster-outside-'))
      try {
        await writeFile(path.join(outside, 'secret'), 'secret')
        await symlink(outside, path.join(root, 'out'))
        await symlink(path.join(outside, 'secret'), path.join(root, 'file'))
        await symlink(path.join(outside, 'new'), path.join(root, 'dangling'))
        const connection = await connect(await serve())
        await fails(connection.list('/out'), 'DENIED')
        await fails(connection.stat('/out/secret'), 'DENIED')
        await fails(get(connection, '/file'), 'DENIED')
        await fails(put(connection, '/out/new', 'x'), 'DENIED')
        await fails(put(connection, '/dangling', 'x'), 'NOT_FOUND')
        expect(await readFile(path.join(outside, 'secret'), 'utf8')).to.equal('secret')
      } finally {
        await rm(outside, { recursive: true })
      }
    })

    it('gives each user a tree of their own', async () => {
      await mkdir(path.join(root, 'one'))
      await mkdir(path.join(root, 'two'))
      const server = await serve({
        users: [
          { username: 'one', password: '1', root: path.join(root, 'one') },
          { username: 'two', password: '2', root: path.join(root, 'two') },
        ],
      })
      await put(await connect(server, { username: 'one', password: '1' }), '/file', 'x')
      expect(await names(await connect(server, { username: 'two', password: '2' }), '/')).to.deep.equal([])
    })
  })
})
