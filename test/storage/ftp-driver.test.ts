import { expect } from 'chai'
import { once } from 'node:events'
import { mkdtemp, rm, symlink, utimes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSecureContext, TLSSocket } from 'node:tls'
import { startEmbeddedFtpServer } from '../../src/demo/embedded-ftp-server.js'
import { createDialer } from '../../src/storage/dialer.js'
import type { Connection, Deadlines, Driver, Endpoint } from '../../src/storage/driver.js'
import { StorageError, type StorageErrorCode } from '../../src/storage/errors.js'
import { createFtpDriver } from '../../src/storage/ftp/ftp-driver.js'
import { generate } from 'selfsigned'
import { bytes, chunks, names, pattern } from './conformance/world.js'
import { describeDriverConformance } from './driver-conformance.js'
import { FakeFtpServer, type FakeOptions, type FakeSession, type Script } from './fake-ftp-server.js'

const deadlines: Deadlines = { connect: 5000, metadata: 5000, firstByte: 5000, stall: 5000 }
const dial = createDialer({ allow: ['127.0.0.0/8'] })
const driver = createFtpDriver({ deadlines, dial })

for (const listOnly of [false, true]) {
  describeDriverConformance(`embedded FTP server (${listOnly ? 'LIST' : 'MLSD'})`, async () => {
    const root = await mkdtemp(join(tmpdir(), 'ftpcluster-ftp-'))
    const login = { username: 'änn', password: 'sécret pass' }
    const server = await startEmbeddedFtpServer({ users: [{ ...login, root }], listOnly })
    const endpoint: Endpoint = { protocol: 'ftp', host: '127.0.0.1', port: server.port, trust: { kind: 'none' } }
    return {
      connect: () => driver.connect(endpoint, login),
      connectRejected: () => driver.connect(endpoint, { ...login, password: 'wrong' }),
      folder: '/',
      plantLink: (target: string, path: string) => symlink(target, root + path),
      plantTime: (path: string, modified: number) => utimes(root + path, modified / 1000, modified / 1000),
      canHold: (name: string) => !(listOnly && name.includes(' -> ')),
      close: async () => {
        await server.close()
        await rm(root, { recursive: true })
      },
    }
  })
}

const LOGIN = { username: 'ann', password: 'secret' }
/** For what never comes. */
const SHORT = 150

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

describe('FTP driver', () => {
  const fakes: FakeFtpServer[] = []
  const connections: Connection[] = []

  async function fakeServer(options: FakeOptions = {}): Promise<FakeFtpServer> {
    const fake = await FakeFtpServer.start(options)
    fakes.push(fake)
    return fake
  }

  async function connect(
    fake: FakeFtpServer,
    changes: Partial<Endpoint> = {},
    by: Driver = driver,
  ): Promise<Connection> {
    const connection = await by.connect(endpointOf(fake, changes), LOGIN)
    connections.push(connection)
    return connection
  }

  function endpointOf(fake: FakeFtpServer, changes: Partial<Endpoint> = {}): Endpoint {
    return { protocol: 'ftp', host: '127.0.0.1', port: fake.port, trust: { kind: 'none' }, ...changes }
  }

  function impatient(changes: Partial<Deadlines>): Driver {
    return createFtpDriver({ deadlines: { ...deadlines, ...changes }, dial })
  }

  /** A RETR or LIST that sends `content`. */
  function sending(content: string | Buffer, reply = '226 done', opening = '150 here'): Script {
    return async (session: FakeSession) => {
      session.send(opening)
      const data = await session.data()
      data.end(content)
      await once(data, 'close')
      return reply
    }
  }

  afterEach(async () => {
    for (const connection of connections.splice(0)) connection.close()
    await Promise.all(fakes.splice(0).map((fake) => fake.close()))
  })

  describe('connecting', () => {
    it('takes a reply that arrives byte by byte', async () => {
      const dripped: Script = async (session) => {
        for (const character of '230-one\r\n230 two\r\n') {
          session.sendRaw(character)
          await new Promise((resolve) => setImmediate(resolve))
        }
      }
      const fake = await fakeServer({ scripts: { PASS: dripped } })
      expect((await connect(fake)).home).to.equal('/home')
    })

    for (const [what, scripts] of [
      ['the greeting', { connect: () => undefined }],
      ['the password', { PASS: () => undefined }],
      [
        'a reply that drips for ever',
        {
          PASS: async (session: FakeSession) => {
            for (let i = 0; i < 200; i++) {
              session.sendRaw('230-more\r\n')
              await new Promise((resolve) => setTimeout(resolve, 10))
            }
          },
        },
      ],
    ] as const) {
      it(`has one deadline, also for ${what}`, async () => {
        const fake = await fakeServer({ scripts })
        await fails(connect(fake, {}, impatient({ connect: SHORT })), 'TIMED_OUT')
      })
    }

    it('stops by the signal', async () => {
      const stop = new AbortController()
      const fake = await fakeServer({
        scripts: {
          USER: () => {
            stop.abort()
          },
        },
      })
      await fails(driver.connect(endpointOf(fake), LOGIN, { signal: stop.signal }), 'ABORTED')
    })

    for (const [reply, code] of [
      ['530 Login incorrect.', 'LOGIN_REJECTED'],
      ['530 Sorry, the maximum number of clients (3) for this user are already connected.', 'BUSY'],
      ['421 Too many connections (8) from this IP', 'BUSY'],
      ['500 OOPS: cannot change directory', 'PROTOCOL'],
    ] as const) {
      it(`takes "${reply}" for ${code}, and closes`, async () => {
        const fake = await fakeServer({ scripts: { PASS: reply } })
        const error = await fails(connect(fake), code)
        expect(error.inStep).to.equal(false)
        expect(JSON.stringify(error) + error.message + error.stack + String(error.cause)).to.not.contain('secret')
      })
    }

    for (const [what, scripts, code, reached] of [
      ['a strange greeting', { connect: '500 no' }, 'PROTOCOL', false],
      [
        'a hang-up instead of a greeting',
        { connect: (session: FakeSession) => session.end() },
        'CONNECTION_LOST',
        false,
      ],
      ['a login without a home', { PASS: '500 OOPS: cannot change directory' }, 'PROTOCOL', true],
      ['a hang-up after the password', { PASS: (session: FakeSession) => session.reset() }, 'CONNECTION_LOST', true],
      ['a login that may not ask where it is', { PWD: '550 no' }, 'PROTOCOL', true],
    ] as const) {
      it(`tells that the server is ${reached ? 'fine' : 'not what it should be'} for ${what}`, async () => {
        const error = await fails(connect(await fakeServer({ scripts })), code)
        expect(error.reached).to.equal(reached)
      })
    }

    it('says BUSY for a greeting of 421', async () => {
      await fails(connect(await fakeServer({ scripts: { connect: '421 There are too many connected users' } })), 'BUSY')
    })

    for (const [what, login] of [
      ['user name', { username: 'ann\r\nDELE x', password: 'secret' }],
      ['password', { username: 'ann', password: 'sec\nret' }],
    ] as const) {
      it(`never sends a ${what} with a line end`, async () => {
        const fake = await fakeServer()
        const error = await fails(driver.connect(endpointOf(fake), login), 'INVALID_NAME')
        expect(error.message).to.not.contain('sec')
        expect(fake.lines).to.deep.equal([])
      })
    }

    it('asks what the login needs and nothing more', async () => {
      const fake = await fakeServer()
      await connect(fake)
      expect(fake.lines).to.deep.equal(['USER ann', 'PASS secret', 'FEAT', 'OPTS UTF8 ON', 'TYPE I', 'PWD'])
    })

    it('reads a home with quotes', async () => {
      const fake = await fakeServer({ scripts: { PWD: '257 "/a ""b"" c" is current' } })
      expect((await connect(fake)).home).to.equal('/a "b" c')
    })
  })

  describe('TLS', () => {
    let tls: { key: string; cert: string }
    let pin = ''

    before(async () => {
      const made = await generate([{ name: 'commonName', value: 'fake' }], { keySize: 2048 })
      tls = { key: made.private, cert: made.cert }
      const fake = await FakeFtpServer.start({ tls })
      pin = (await driver.fingerprint(endpointOf(fake, { protocol: 'ftps' }))) ?? ''
      expect(fake.verbs).to.deep.equal(['AUTH'])
      await fake.close()
    })

    for (const [protocol, implicit] of [
      ['ftps', false],
      ['ftps-implicit', true],
    ] as const) {
      it(`${protocol}: logs in where the pinned certificate is shown, and tells it`, async () => {
        const fake = await fakeServer({ tls: { ...tls, implicit } })
        const c = await connect(fake, { protocol, trust: { kind: 'pinned', fingerprints: ['SHA256:other', pin] } })
        expect(pin).to.match(/^SHA256:[A-Za-z0-9+/]{43}$/)
        expect(c.traits.fingerprint).to.equal(pin)
        expect(fake.lines).to.include.members(['PBSZ 0', 'PROT P'])
      })

      for (const trust of [
        { kind: 'pinned', fingerprints: ['SHA256:other'] },
        { kind: 'public-ca' },
        { kind: 'none' },
      ] as const) {
        it(`${protocol}: sends no credential where trust (${trust.kind}) fails`, async () => {
          const fake = await fakeServer({ tls: { ...tls, implicit } })
          await fails(connect(fake, { protocol, trust }), 'UNTRUSTED')
          expect(fake.verbs).to.not.include('USER').and.not.include('PASS')
        })
      }
    }

    it('never falls back to plain FTP when TLS is refused', async () => {
      const fake = await fakeServer({ scripts: { AUTH: '500 no TLS' } })
      await fails(connect(fake, { protocol: 'ftps', trust: { kind: 'pinned', fingerprints: [pin] } }), 'UNTRUSTED')
      expect(fake.verbs).to.deep.equal(['AUTH'])
    })

    it('never leaves data connections in the clear', async () => {
      const fake = await fakeServer({ tls, scripts: { PROT: '536 no' } })
      await fails(connect(fake, { protocol: 'ftps', trust: { kind: 'pinned', fingerprints: [pin] } }), 'UNTRUSTED')
    })

    it('does not wait for ever after AUTH TLS', async () => {
      // It never goes on: bytes of a ClientHello can look like the end of a command, and must not be answered.
      const silent: Script = async (session) => {
        session.send('234 go on')
        await new Promise(() => undefined)
      }
      const fake = await fakeServer({ scripts: { AUTH: silent } })
      const trust = { kind: 'pinned', fingerprints: [pin] } as const
      await fails(connect(fake, { protocol: 'ftps', trust }, impatient({ connect: SHORT })), 'TIMED_OUT')
    })

    it('gives no bytes of a data connection that shows another certificate', async () => {
      const other = await generate([{ name: 'commonName', value: 'fake' }], { keySize: 2048 })
      const fake = await fakeServer({
        tls,
        scripts: {
          RETR: async (session) => {
            session.send('150 here')
            const secureContext = createSecureContext({ key: other.private, cert: other.cert })
            const data = new TLSSocket(await session.data(), { isServer: true, secureContext })
            data.on('error', () => undefined)
            data.end('forged')
            return '226 done'
          },
        },
      })
      const c = await connect(fake, { protocol: 'ftps', trust: { kind: 'pinned', fingerprints: [pin] } })
      await fails(
        c.read('/file', undefined, () => expect.fail('bytes came through')),
        'UNTRUSTED',
      )
    })
  })

  describe('commands', () => {
    it('refuses a name that latin1 would turn into a line end', async () => {
      const fake = await fakeServer()
      const c = await connect(fake, { encoding: 'latin1' })
      const before = fake.lines.length
      const error = await fails(c.removeFile('/a\u010d\u010aDELE precious'), 'INVALID_NAME')
      expect(error.inStep).to.equal(true)
      await c.ping()
      expect(fake.lines.slice(before)).to.deep.equal(['NOOP'])
    })

    it('refuses a name that latin1 does not have', async () => {
      const c = await connect(await fakeServer({ scripts: { DELE: '250 gone' } }), { encoding: 'latin1' })
      await fails(c.removeFile('/\u65e5\u672c'), 'INVALID_NAME')
      await c.ping()
    })

    it('sends latin1 names as latin1', async () => {
      const fake = await fakeServer({ scripts: { DELE: '250 gone' } })
      await (await connect(fake, { encoding: 'latin1' })).removeFile('/caf\u00e9')
      expect(fake.lines.at(-1)).to.equal('DELE /caf\u00e9')
    })

    it('has a deadline that ends the connection', async () => {
      const fake = await fakeServer({ scripts: { DELE: () => undefined } })
      const c = await connect(fake, {}, impatient({ metadata: SHORT }))
      const error = await fails(c.removeFile('/x'), 'TIMED_OUT')
      expect([error.inStep, c.open]).to.deep.equal([false, false])
    })

    it('ends a connection whose server says what nobody asked', async () => {
      const fake = await fakeServer({ scripts: { DELE: '250 gone\r\n250 and again' } })
      const c = await connect(fake)
      await c.removeFile('/x').catch(() => undefined)
      await fails(c.ping(), 'CONNECTION_LOST')
      expect(c.open).to.equal(false)
    })

    for (const [reply, code, retryAfterSeconds] of [
      ['421 Too many connections, try again later.', 'BUSY', 5],
      ['421 Idle time limit exceeded.', 'CONNECTION_LOST', undefined],
      ['421 Timeout.', 'CONNECTION_LOST', undefined],
      ['421 Service not available, closing control connection.', 'CONNECTION_LOST', undefined],
    ] as const) {
      it(`takes "${reply}" in the middle of a session for ${code}, and for its end`, async () => {
        const error = await fails(
          (await connect(await fakeServer({ scripts: { DELE: reply } }))).removeFile('/x'),
          code,
        )
        expect([error.inStep, error.retryAfterSeconds]).to.deep.equal([false, retryAfterSeconds])
      })
    }

    it('says CONNECTION_LOST when the control connection is reset', async () => {
      const fake = await fakeServer({ scripts: { DELE: (session) => session.reset() } })
      const c = await connect(fake)
      const error = await fails(c.removeFile('/x'), 'CONNECTION_LOST')
      expect([error.inStep, c.open]).to.deep.equal([false, false])
    })

    it('says UNSUPPORTED for a command that the server does not know, and stays', async () => {
      const c = await connect(await fakeServer())
      const error = await fails(c.setMode?.('/x', 0o600) ?? Promise.resolve(), 'UNSUPPORTED')
      expect(error.inStep).to.equal(true)
      await c.ping()
    })
  })

  describe('several commands at once', () => {
    const MISREADING = {
      'reads a packet as one command': (lines: string[]) => lines.slice(0, 1),
      'waits for more': () => [],
      'answers in another order': (lines: string[]) => lines.toReversed(),
      'ends the session': (_: string[], session: FakeSession) => {
        session.end()
        return []
      },
    }
    for (const [what, several] of Object.entries(MISREADING)) {
      it(`are never sent again to a server that ${what}`, async () => {
        const fake = await fakeServer({ several, scripts: { RNFR: '350 go on', RNTO: '250 done', SIZE: '213 1' } })
        const patient = impatient({ connect: 1000 })
        const first = await connect(fake, {}, patient)
        expect(first.home).to.equal('/home')
        const once = fake.packets.length
        const second = await connect(fake, {}, patient)
        for (const c of [first, second]) {
          await c.rename('/a', '/b')
          await c.stat('/b')
        }
        const logins = fake.packets.filter((packet) => packet.startsWith('PASS'))
        expect(logins, 'one login was lost over it').to.have.length(3)
        expect(fake.packets.slice(once).filter((packet) => packet.includes('+'))).to.deep.equal([])
      })
    }

    it('are a look and a rename', async () => {
      const fake = await fakeServer({
        scripts: { RNFR: '350 go on', RNTO: '250 done', SIZE: '213 7', MDTM: '213 20240102030405' },
      })
      const c = await connect(fake)
      expect(fake.packets.at(-1)).to.equal('OPTS UTF8 ON+TYPE I+PWD')
      expect(await c.stat('/b')).to.deep.include({ type: 'file', size: 7 })
      await c.rename('/a', '/b')
      expect(fake.packets.slice(-2)).to.deep.equal(['SIZE /b+MDTM /b', 'RNFR /a+RNTO /b'])
    })

    it('each have their own answer', async () => {
      const fake = await fakeServer({
        scripts: { RNFR: '550 No such file', RNTO: '503 RNFR first', SIZE: '550 no', MDTM: '550 no', CWD: '550 no' },
      })
      const c = await connect(fake)
      await fails(c.rename('/a', '/b'), 'DENIED')
      await c.ping()
      expect(fake.lines.at(-1)).to.equal('NOOP')
    })

    it('are no rename after a refused one: its source may be remembered', async () => {
      const fake = await fakeServer({
        scripts: { RNFR: '350 go on', RNTO: '550 File exists', SIZE: '213 1', MDTM: '213 20240102030405' },
      })
      const c = await connect(fake)
      await fails(c.rename('/a', '/b'), 'ALREADY_EXISTS')
      await fails(c.rename('/a', '/b'), 'ALREADY_EXISTS')
      const renames = fake.packets.filter((packet) => packet.startsWith('RN'))
      expect(renames).to.deep.equal(['RNFR /a+RNTO /b', 'RNFR /a', 'RNTO /b'])
    })

    it('all end with a session that ends at the first', async () => {
      const fake = await fakeServer({ scripts: { RNFR: '421 Idle time limit exceeded.', RNTO: () => undefined } })
      const c = await connect(fake, {}, impatient({ metadata: SHORT }))
      const error = await fails(c.rename('/a', '/b'), 'CONNECTION_LOST')
      expect(error.inStep).to.equal(false)
    })
  })

  describe('data connections', () => {
    it('go to no other host', async () => {
      const elsewhere = await fakeServer()
      const { port } = await elsewhere.dataPort()
      const scripts = { EPSV: '500 no', PASV: `227 ok (127,0,0,2,${port >> 8},${port & 255})` }
      await fails((await connect(await fakeServer({ scripts }))).list('/'), 'PROTOCOL')
      expect(elsewhere.dataConnections).to.equal(0)
    })

    for (const [what, scripts] of [
      ['EPSV', { EPSV: '229 ok (|||22|)' }],
      ['PASV', { EPSV: '500 no', PASV: '227 ok (127,0,0,1,0,22)' }],
      ['EPSV without a number', { EPSV: '229 ok' }],
      ['PASV beyond numbers', { EPSV: '500 no', PASV: '227 ok (127,0,0,1,999,1)' }],
    ] as const) {
      it(`go to no port that is none of the server's to give (${what})`, async () => {
        await fails((await connect(await fakeServer({ scripts }))).list('/'), 'PROTOCOL')
      })
    }

    it('use PASV where EPSV is refused', async () => {
      const fake = await fakeServer({
        scripts: { EPSV: '500 no', PASV: (session) => pasv(fake, session), LIST: () => undefined },
      })
      const c = await connect(fake, {}, impatient({ firstByte: SHORT }))
      await fails(c.list('/'), 'TIMED_OUT')
      expect(fake.verbs.slice(-4)).to.deep.equal(['CWD', 'EPSV', 'PASV', 'LIST'])
    })

    async function pasv(fake: FakeFtpServer, session: FakeSession): Promise<void> {
      const { port } = await fake.dataPort()
      session.send(`227 ok (127,0,0,1,${port >> 8},${port & 255})`)
    }
  })

  describe('reading', () => {
    it('says PROTOCOL when fewer bytes came than the server announced, in spite of its 226', async () => {
      const scripts = { RETR: sending('0123456789', '226 done', '150 here (100 bytes)') }
      const c = await connect(await fakeServer({ scripts }))
      await fails(bytes(c, '/file'), 'PROTOCOL')
    })

    it('takes a 226 that comes before the bytes do', async () => {
      const content = pattern(200_000)
      const scripts: Record<string, Script> = {
        RETR: async (session) => {
          session.send('150 here (200000 bytes)')
          session.send('226 done')
          ;(await session.data()).end(content)
        },
      }
      const c = await connect(await fakeServer({ scripts }))
      expect((await bytes(c, '/file')).equals(content)).to.equal(true)
    })

    it('says TIMED_OUT when the first byte does not come, and when the next one does not', async () => {
      const silent: Script = (session) => session.send('150 here')
      const stalled: Script = async (session) => {
        session.send('150 here')
        ;(await session.data()).write('some')
      }
      for (const RETR of [silent, stalled]) {
        const c = await connect(
          await fakeServer({ scripts: { RETR } }),
          {},
          impatient({ firstByte: 2 * SHORT, stall: SHORT }),
        )
        await fails(bytes(c, '/file'), 'TIMED_OUT')
        expect(c.open).to.equal(false)
      }
    })

    it('does not take a slow sink for a stall', async () => {
      const c = await connect(
        await fakeServer({ scripts: { RETR: sending('content') } }),
        {},
        impatient({ firstByte: SHORT, stall: SHORT }),
      )
      let got = ''
      await c.read('/file', undefined, async (chunk) => {
        await new Promise((resolve) => setTimeout(resolve, 2 * SHORT))
        got += chunk.toString()
      })
      expect(got).to.equal('content')
    })

    it('ends the connection when it cannot prove that it is in step', async () => {
      const scripts: Record<string, Script> = {
        RETR: async (session) => {
          session.send('150 here')
          const data = await session.data()
          data.write('some')
          await once(data, 'close')
          return '426 cut'
        },
        NOOP: '226 late',
      }
      const c = await connect(await fakeServer({ scripts }))
      const broken = new Error('the sink broke')
      const attempt = c.read('/file', undefined, () => Promise.reject(broken))
      expect(await attempt.catch((error: unknown) => error)).to.equal(broken)
      expect(c.open).to.equal(false)
    })
  })

  describe('looking for what is not there', () => {
    it('sees what was made between two of its questions', async () => {
      let asked = 0
      const scripts: Record<string, Script> = {
        FEAT: '211-Features:\r\n MLST type*;size*;modify*;\r\n211 End',
        MLST: () => (++asked === 1 ? '550 no' : '250-Begin\r\n type=dir;modify=20260101000000; /new\r\n250 End'),
        MLSD: sending('type=dir;modify=20260101000000; new\r\n'),
      }
      const c = await connect(await fakeServer({ scripts }))
      expect((await c.stat('/new')).type).to.equal('directory')
    })

    const MLST = '211-Features:\r\n MLST type*;size*;modify*;\r\n211 End'
    const THERE: Record<string, Script> = {
      MLSD: sending('type=file;size=4; not found\r\n'),
      LIST: sending('-rw-r--r-- 1 a b 4 Jan  1  2020 not found\r\n'),
    }
    for (const [what, scripts] of [
      ['says it only in the name', { FEAT: MLST, MLST: '550 /not found: refused' }],
      ['gives no reason for the size', { FEAT: MLST, MLST: "550 '/not found' cannot be listed", SIZE: '550 no' }],
      ['does not know SIZE', { FEAT: MLST, MLST: "550 '/not found' cannot be listed" }],
      [
        'enters no folder, for another reason',
        {
          FEAT: MLST,
          MLST: "550 Can't check for file existence",
          CWD: (_: FakeSession, path: string) => (path === '/' ? '250 ok' : '550 /not found: Not a directory'),
        },
      ],
      [
        'lets nobody rename',
        {
          SIZE: '550 Could not get file size.',
          MDTM: '550 Could not get file modification time.',
          CWD: (_: FakeSession, path: string) => (path === '/' ? '250 ok' : '550 Failed to change directory.'),
          RNFR: '550 Permission denied.',
        },
      ],
    ] as const) {
      it(`never takes a name for missing because a server ${what}`, async () => {
        const fake = await fakeServer({ scripts: { ...THERE, ...scripts } })
        const c = await connect(fake)
        await fails(c.stat('/not found'), 'DENIED')
        await fails(c.stat('/missing'), 'NOT_FOUND')
      })
    }

    it('asks by RNFR where that is known to tell, and sends no RNTO together with the next', async () => {
      const scripts: Record<string, Script> = {
        ...THERE,
        SIZE: '550 Could not get file size.',
        MDTM: '550 Could not get file modification time.',
        CWD: (_, path) => (path === '/' ? '250 ok' : '550 Failed to change directory.'),
        RNFR: (_, path) => (path === '/not found' ? '350 Ready for RNTO.' : '550 RNFR command failed.'),
        RNTO: '250 done',
      }
      const fake = await fakeServer({ scripts })
      const c = await connect(fake)
      await fails(c.stat('/missing'), 'NOT_FOUND')
      expect(fake.verbs).to.not.include('LIST')
      await fails(c.stat('/not found'), 'DENIED')
      await fails(c.rename('/missing', '/target'), 'NOT_FOUND')
      expect(fake.verbs).to.not.include('RNTO')
    })

    it('makes a folder whose parent came between two of its questions', async () => {
      let tried = 0
      const c = await connect(
        await fakeServer({
          scripts: {
            MKD: () => (++tried === 1 ? '550 Create directory operation failed.' : '257 made'),
            SIZE: '550 no',
            CWD: (_, path) => (path === '/parent/new' ? '550 no' : '250 ok'),
            LIST: sending('drwxr-xr-x 2 a b 0 Jan  1  2020 .\r\n'),
          },
        }),
      )
      await c.makeDirectory('/parent/new')
      expect(tried).to.equal(2)
    })

    it('never has two folders refused in a row: pure-ftpd answers each later than the one before', async () => {
      const scripts: Record<string, Script> = {
        CWD: (_, path) => (path === '/' ? '250 ok' : '550 no'),
        SIZE: '550 no',
        LIST: sending('drwxr-xr-x 2 a b 0 Jan  1  2020 .\r\n'),
      }
      const fake = await fakeServer({ scripts })
      const c = await connect(fake)
      await fails(c.list('/no/such/folder'), 'NOT_FOUND')
      await fails(c.stat('/no/such/folder'), 'NOT_FOUND')
      const folders = fake.lines.filter((line) => line.startsWith('CWD ')).map((line) => line.slice(4))
      expect(folders.length).to.be.greaterThan(6)
      const inARow = folders.filter((path, i) => path !== '/' && folders[i + 1] !== '/')
      expect(inARow).to.deep.equal([])
    })
  })

  describe('writing', () => {
    it('tells why in the words of the server, not of the broken data connection', async () => {
      for (const [reply, code] of [
        ['452 No space', 'NO_SPACE'],
        ['552 Quota exceeded', 'NO_SPACE'],
        ['451 Failure writing to local file.', 'NO_SPACE'],
        ['553 Prohibited file name', 'DENIED'],
      ] as const) {
        const scripts: Record<string, Script> = {
          STOR: async (session) => {
            session.send('150 go on')
            const data = await session.data()
            await once(data, 'data')
            data.resetAndDestroy()
            return reply
          },
          CWD: (_, path) => (path === '/' ? '250 ok' : '550 no'),
          LIST: sending('drwxr-xr-x 2 a b 0 Jan  1  2020 .\r\n-rw-r--r-- 1 a b 5 Jan  1  2020 file\r\n'),
        }
        const c = await connect(await fakeServer({ scripts }))
        const error = await fails(c.write('/file', chunks(pattern(4_000_000), pattern(4_000_000))), code)
        expect(error.inStep).to.equal(true)
        await c.ping()
      }
    })

    it('does not believe a 226 that comes before everything was sent', async () => {
      const scripts: Record<string, Script> = {
        STOR: async (session) => {
          session.send('150 go on')
          await once(await session.data(), 'data')
          return '226 done'
        },
      }
      const c = await connect(await fakeServer({ scripts }))
      await fails(c.write('/file', chunks(pattern(30_000_000))), 'PROTOCOL')
    })

    it('waits for a late 226, and says TIMED_OUT when it never comes', async () => {
      const stored: Buffer[] = []
      const scripts: Record<string, Script> = {
        STOR: async (session, path) => {
          session.send('150 go on')
          const data = await session.data()
          data.on('data', (chunk: Buffer) => stored.push(chunk))
          await once(data, 'end')
          await new Promise((resolve) => setImmediate(resolve))
          if (path === '/file') return '226 done'
        },
      }
      const c = await connect(await fakeServer({ scripts }), {}, impatient({ firstByte: 2 * SHORT, stall: SHORT }))
      expect(await c.write('/file', chunks('content'))).to.equal(7)
      expect(Buffer.concat(stored).toString()).to.equal('content')
      await fails(c.write('/never', chunks('content')), 'TIMED_OUT')
      expect(c.open).to.equal(false)
    })

    it('does not take a slow source for a stall, and a server that stops taking for one', async () => {
      const scripts: Record<string, Script> = {
        STOR: async (session, path) => {
          session.send('150 go on')
          const data = await session.data()
          if (path !== '/slow') return
          data.resume()
          await once(data, 'end')
          return '226 done'
        },
      }
      const fake = await fakeServer({ scripts })
      const patience = impatient({ firstByte: SHORT, stall: SHORT })
      async function* slow() {
        yield Buffer.from('a')
        await new Promise((resolve) => setTimeout(resolve, 2 * SHORT))
        yield Buffer.from('b')
      }
      const c = await connect(fake, {}, patience)
      expect(await c.write('/slow', slow())).to.equal(2)
      await fails(c.write('/stuck', chunks(...Array.from({ length: 40 }, () => pattern(1_000_000)))), 'TIMED_OUT')
    })

    it('says CONNECTION_LOST when the control connection breaks in the middle', async () => {
      const scripts: Record<string, Script> = {
        STOR: async (session) => {
          session.send('150 go on')
          await once(await session.data(), 'data')
          session.reset()
        },
      }
      const c = await connect(await fakeServer({ scripts }))
      await fails(c.write('/file', chunks(pattern(30_000_000))), 'CONNECTION_LOST')
      expect(c.open).to.equal(false)
    })
  })

  describe('listing', () => {
    const MLST = '211-Features:\r\n MLST type*;size*;modify*;\r\n211 End'

    it('keeps what MLSD says: time of the folder, exact times, identity, mode, spaces in names', async () => {
      const MLSD = sending(
        'type=cdir;modify=20260102030405; .\r\n' +
          'type=pdir;modify=20260102030406; ..\r\n' +
          'Type=file;Size=12;Modify=20260102030405.123;UNIX.mode=0640;Unique=1g2;  two leading; and = \r\n',
      )
      const c = await connect(await fakeServer({ scripts: { FEAT: MLST, MLSD } }))
      expect(await c.list('/')).to.deep.equal({
        selfModified: Date.UTC(2026, 0, 2, 3, 4, 5),
        entries: [
          {
            name: ' two leading; and = ',
            type: 'file',
            symlink: false,
            size: 12,
            modified: Date.UTC(2026, 0, 2, 3, 4, 5, 123),
            mode: 0o640,
            unique: '1g2',
          },
        ],
      })
    })

    for (const [what, line] of [
      ['garbage', 'what is this'],
      ['a name with a slash', 'type=file;size=1; ../../evil'],
      ['a negative size', 'type=file;size=-1; name'],
      ['no type', 'size=1; name'],
      ['no name', 'type=file;size=1; '],
    ] as const) {
      it(`says PROTOCOL for ${what} in MLSD, not a shorter listing`, async () => {
        const MLSD = sending(`type=file;size=1; good\r\n${line}\r\n`)
        const c = await connect(await fakeServer({ scripts: { FEAT: MLST, MLSD } }))
        const error = await fails(c.list('/'), 'PROTOCOL')
        expect(error.inStep).to.equal(true)
        await c.ping()
      })
    }

    it('reads LIST of Unix and of Windows', async () => {
      const unix = [
        'total 12',
        'drwxr-xr-x    2 ftp      ftp          4096 Jan  2  2020 .',
        'drwxr-xr-x    2 ftp      ftp          4096 Jan  2  2020 ..',
        '-rwsr-x--T    1 some one staff grp      12 Dec 31  2019   two leading',
        'crw-rw-rw-    1 root     root       1, 3 Jan  2  2020 null',
      ]
      const c = await connect(await fakeServer({ scripts: { LIST: sending(unix.join('\r\n') + '\r\n') } }))
      const { selfModified, entries } = await c.list('/')
      expect(selfModified).to.equal(Date.UTC(2020, 0, 2))
      expect(entries).to.deep.equal([
        {
          name: '  two leading',
          type: 'file',
          symlink: false,
          size: 12,
          modified: Date.UTC(2019, 11, 31),
          mode: 0o5750,
        },
        { name: 'null', type: 'other', symlink: false, size: 0, modified: Date.UTC(2020, 0, 2), mode: 0o666 },
      ])

      const windows = ['02-18-24  03:15PM       <DIR>           led', '12-01-2023  12:05AM                 1234 a b']
      const w = await connect(await fakeServer({ scripts: { LIST: sending(windows.join('\r\n') + '\r\n') } }))
      expect((await w.list('/')).entries).to.deep.equal([
        { name: ' led', type: 'directory', symlink: false, size: 0, modified: Date.UTC(2024, 1, 18, 15, 15) },
        { name: 'a b', type: 'file', symlink: false, size: 1234, modified: Date.UTC(2023, 11, 1, 0, 5) },
      ])
    })

    it('says DENIED where the 226 tells that the folder could not be read', async () => {
      for (const reply of [
        '226 Transfer done (but failed to open directory).',
        '226-Unable to read [.]\r\n226 0 matches',
      ]) {
        const c = await connect(await fakeServer({ scripts: { LIST: sending('', reply) } }))
        await fails(c.list('/x'), 'DENIED')
      }
    })

    it('says TOO_LARGE where the server stops at a number of its own', async () => {
      const reply = '226-Options: -a -l\r\n226 10000 matches total, output truncated'
      const c = await connect(
        await fakeServer({ scripts: { LIST: sending('drwxr-xr-x 2 a b 0 Jan  1  2020 .\r\n', reply) } }),
      )
      await fails(c.list('/x'), 'TOO_LARGE')
    })

    it('says TOO_LARGE for a listing without end', async () => {
      const flood: Script = async (session) => {
        session.send('150 here')
        const data = await session.data()
        const line = Buffer.from('type=file;size=1; name\r\n'.repeat(10_000))
        while (!data.destroyed) {
          if (!data.write(line)) await Promise.race([once(data, 'drain'), once(data, 'close')]).catch(() => undefined)
        }
        return '426 cut'
      }
      const c = await connect(await fakeServer({ scripts: { FEAT: MLST, MLSD: flood } }))
      await fails(c.list('/'), 'TOO_LARGE')
      await c.ping()
    })

    it('says LIST where the server does not know LIST -a', async () => {
      const line = '-rw-r--r-- 1 a b 5 Jan  1  2020 file\r\n'
      const LIST: Script = async (session, argument) => {
        if (argument !== '') return '550 -a: no such file'
        return (sending(line) as (session: FakeSession) => Promise<string>)(session)
      }
      const fake = await fakeServer({ scripts: { LIST } })
      const c = await connect(fake)
      expect(await names(c, '/')).to.deep.equal(['file'])
      expect(await names(c, '/')).to.deep.equal(['file'])
      expect(fake.lines.filter((sent) => sent.startsWith('LIST'))).to.deep.equal(['LIST -a', 'LIST', 'LIST'])
    })
  })
})
