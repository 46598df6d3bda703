import { Client, FTPError } from 'basic-ftp'
import { expect } from 'chai'
import { once } from 'node:events'
import {
  access,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import {
  startEmbeddedFtpServer,
  type EmbeddedFtpOptions,
  type EmbeddedFtpServer,
} from '../../src/demo/embedded-ftp-server.js'

const USER = { username: 'user1', password: ' pass word ' }

/** A control connection in plain bytes: what is sent and what comes back. */
class Wire {
  #text = ''
  #waiting: (() => void) | undefined

  constructor(readonly socket: Socket) {
    socket.on('data', (chunk: Buffer) => {
      this.#text += chunk.toString()
      this.#waiting?.()
    })
    socket.on('error', () => undefined)
    socket.on('close', () => this.#waiting?.())
  }

  /** The next whole reply; undefined when the server has ended the connection. */
  async reply(): Promise<string | undefined> {
    for (;;) {
      const match = /^(?:(\d{3})-[^]*?\r\n\1 |\d{3} )[^\r\n]*\r\n/.exec(this.#text)
      if (match) {
        this.#text = this.#text.slice(match[0].length)
        return match[0].trimEnd()
      }
      if (this.socket.destroyed) return undefined
      await new Promise<void>((resolve) => (this.#waiting = resolve))
    }
  }

  async ask(line: string | Buffer): Promise<string | undefined> {
    this.socket.write(typeof line === 'string' ? line + '\r\n' : line)
    return this.reply()
  }

  async code(line: string | Buffer): Promise<number> {
    return Number((await this.ask(line))?.slice(0, 3))
  }

  /** Asks for a data port and connects to it. */
  async data(): Promise<Socket> {
    const port = Number(/\|\|\|(\d+)\|/.exec((await this.ask('EPSV')) ?? '')?.[1])
    const socket = connect({ port, host: '127.0.0.1' })
    socket.on('error', () => undefined)
    await once(socket, 'connect')
    return socket
  }

  /** What a transfer command sends, and the codes around it. */
  async download(command: string): Promise<string> {
    const data = await this.data()
    const parts: Buffer[] = []
    data.on('data', (chunk: Buffer) => parts.push(chunk))
    const ended = once(data, 'close')
    expect(await this.code(command), command).to.equal(150)
    expect(await this.reply(), command).to.match(/^226 /)
    await ended
    return Buffer.concat(parts).toString()
  }

  async upload(command: string, content: string): Promise<number> {
    const data = await this.data()
    const code = await this.code(command)
    if (code !== 150) return code
    data.end(content)
    return Number((await this.reply())?.slice(0, 3))
  }
}

describe('embedded FTP server', () => {
  let root: string
  const servers: EmbeddedFtpServer[] = []
  const sockets: Socket[] = []
  const clients: Client[] = []

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'ftpcluster-ftp-'))
  })

  afterEach(async () => {
    for (const client of clients.splice(0)) client.close()
    for (const socket of sockets.splice(0)) socket.destroy()
    for (const server of servers.splice(0)) await server.close()
    await rm(root, { recursive: true })
  })

  async function serve(options: Partial<EmbeddedFtpOptions> = {}): Promise<EmbeddedFtpServer> {
    const server = await startEmbeddedFtpServer({ users: [{ ...USER, root }], ...options })
    servers.push(server)
    return server
  }

  async function wireTo(server: EmbeddedFtpServer, from?: string): Promise<Wire> {
    const socket = connect({ port: server.port, host: '127.0.0.1', ...(from ? { localAddress: from } : {}) })
    sockets.push(socket)
    const wire = new Wire(socket)
    expect(await wire.reply()).to.match(/^220 /)
    return wire
  }

  async function loggedIn(options: Partial<EmbeddedFtpOptions> = {}): Promise<Wire> {
    const wire = await wireTo(await serve(options))
    await wire.ask(`USER ${USER.username}`)
    expect(await wire.ask(`PASS ${USER.password}`)).to.match(/^230 /)
    return wire
  }

  async function client(): Promise<Client> {
    const { port } = await serve()
    const made = new Client(10_000)
    clients.push(made)
    await made.access({ host: '127.0.0.1', port, user: USER.username, password: USER.password })
    return made
  }

  describe('login', () => {
    it('is asked for before anything else, and told apart', async () => {
      const server = await serve()
      const wire = await wireTo(server)
      for (const line of ['PWD', 'LIST', 'EPSV', 'STOR x', 'SITE CHMOD 777 x', 'NONSENSE']) {
        expect(await wire.code(line), line).to.equal(530)
      }
      expect(await wire.code('PASS x')).to.equal(503)
      expect(await wire.code(`USER ${USER.username}`)).to.equal(331)
      expect(await wire.code(`PASS ${USER.password.trim()}`)).to.equal(530)
      expect(await wire.code('USER nobody')).to.equal(331)
      expect(await wire.code(`PASS ${USER.password}`)).to.equal(530)
      expect(await wire.code(`USER ${USER.username}`)).to.equal(331)
      expect(await wire.code(`PASS ${USER.password}`)).to.equal(230)
      expect(server.logins).to.deep.equal([
        { username: 'user1', accepted: false },
        { username: 'nobody', accepted: false },
        { username: 'user1', accepted: true },
      ])
      expect(server.connections).to.equal(1)
    })

    it('refused three times ends the connection', async () => {
      const wire = await wireTo(await serve())
      for (const code of [530, 530, 421]) {
        await wire.ask('USER user1')
        expect(await wire.code('PASS wrong')).to.equal(code)
      }
      expect(await wire.reply()).to.equal(undefined)
    })

    it('as another user takes the first one away', async () => {
      const wire = await loggedIn()
      await wire.ask('USER user1')
      expect(await wire.code('PWD')).to.equal(530)
    })

    it('gives each user a tree of their own', async () => {
      for (const name of ['one', 'two']) await mkdir(join(root, name))
      const users = ['one', 'two'].map((username) => ({ username, password: 'x', root: join(root, username) }))
      const server = await serve({ users })
      for (const [name, files] of [
        ['one', ''],
        ['two', ''],
      ] as const) {
        const wire = await wireTo(server)
        await wire.ask(`USER ${name}`)
        await wire.ask('PASS x')
        expect(await wire.download('LIST')).to.equal(files)
        expect(await wire.upload(`STOR of-${name}`, 'x')).to.equal(226)
      }
      expect(await readdir(join(root, 'one'))).to.deep.equal(['of-one'])
    })
  })

  describe('with basic-ftp', () => {
    it('lists, stores, resumes, fetches, renames and removes', async () => {
      const ftp = await client()
      const content = Buffer.alloc(3_000_000, 'content ')
      await ftp.uploadFrom(Readable.from([content]), 'file')
      await ftp.appendFrom(Readable.from(['tail']), 'file')
      const parts: Buffer[] = []
      const sink = new Writable({
        write(chunk: Buffer, _, done) {
          parts.push(chunk)
          done()
        },
      })
      await ftp.downloadTo(sink, 'file', 100)
      expect(Buffer.concat(parts).equals(Buffer.concat([content, Buffer.from('tail')]).subarray(100))).to.equal(true)
      await ftp.ensureDir('folder/below')
      await ftp.cd('/')
      await ftp.rename('file', 'folder/below/other')
      const [entry] = await ftp.list('folder/below')
      expect(entry).to.include({ name: 'other', size: content.length + 4, isFile: true })
      expect(await ftp.size('folder/below/other')).to.equal(content.length + 4)
      await ftp.removeDir('folder')
      expect(await readdir(root)).to.deep.equal([])
    })

    it('reads LIST as it reads MLSD', async () => {
      await mkdir(join(root, 'folder'))
      await writeFile(join(root, 'file'), '12345')
      await utimes(join(root, 'file'), 1_000_000_000, 1_000_000_000)
      const ftp = await client()
      const seen = async () => (await ftp.list()).map(({ name, isFile, size }) => [name, isFile, isFile ? size : 0])
      ftp.availableListCommands = ['LIST -a']
      const long = (await seen()).sort()
      ftp.availableListCommands = ['MLSD']
      expect(long).to.deep.equal((await seen()).sort())
      expect(long).to.have.length(2)
    })

    it('gives the errors that a client acts on', async () => {
      await mkdir(join(root, 'folder'))
      const ftp = await client()
      const code = async (attempt: Promise<unknown>) => {
        const error: unknown = await attempt.catch((reason: unknown) => reason)
        return error instanceof FTPError ? error.code : error
      }
      expect(await code(ftp.cd('missing'))).to.equal(550)
      expect(await code(ftp.remove('missing'))).to.equal(550)
      expect(await code(ftp.remove('folder'))).to.equal(550)
      expect(await code(ftp.size('folder'))).to.equal(550)
      expect(await code(ftp.uploadFrom(Readable.from(['x']), 'missing/file'))).to.equal(550)
      expect(await code(ftp.uploadFrom(Readable.from(['x']), 'folder'))).to.equal(550)
      expect(await code(ftp.uploadFrom(Readable.from(['x']), 'x'.repeat(300)))).to.equal(553)
      expect(await code(ftp.downloadTo(new Writable(), 'folder'))).to.equal(550)
    })
  })

  describe('names', () => {
    it('are kept byte for byte', async () => {
      const wire = await loggedIn()
      const names = [' leading', 'trailing ', '  both  ', 'a;b=c; d', '-la', 'a -> b', 'cafe\u0301', '\ufeffbom', 'q"t']
      for (const name of names) expect(await wire.upload(`STOR ${name}`, name), name).to.equal(226)
      expect((await readdir(root)).sort()).to.deep.equal([...names].sort())
      const listed = (await wire.download('MLSD')).split('\r\n').slice(0, -1)
      const shown = listed.map((line) => line.slice(line.indexOf('; ') + 2))
      expect(shown.sort()).to.deep.equal([...names, '.'].sort())
      for (const name of names) expect(await wire.download(`RETR ${name}`)).to.equal(name)
      expect(await wire.ask('MKD q""')).to.match(/^257 "\/q"""""/)
    })

    it('hold no CR, LF or NUL, in neither direction', async () => {
      await writeFile(join(root, 'precious'), '')
      await writeFile(join(root, 'two\nlines'), '')
      await writeFile(Buffer.concat([Buffer.from(root + '/latin-'), Buffer.of(0xe9)]), '')
      const wire = await loggedIn()
      for (const evil of ['x\nDELE precious', 'x\rDELE precious', 'x\0']) {
        expect(await wire.code(`MKD ${evil}`), JSON.stringify(evil)).to.equal(501)
      }
      expect(await wire.code(Buffer.from([...Buffer.from('MKD x'), 0xe9, 13, 10]))).to.equal(501)
      expect(await wire.download('MLSD')).to.match(/^[^\n]*; \.\r\n[^\n]*; precious\r\n$/)
    })

    it('never reach outside of the folder', async () => {
      const outside = await mkdtemp(join(tmpdir(), 'ftpcluster-outside-'))
      try {
        await writeFile(join(outside, 'secret'), 'secret')
        await symlink(outside, join(root, 'out'))
        await symlink(join(outside, 'secret'), join(root, 'file'))
        await symlink(join(outside, 'new'), join(root, 'dangling'))
        const wire = await loggedIn()
        expect(await wire.code('CDUP')).to.equal(250)
        expect(await wire.ask('PWD')).to.include('"/"')
        for (const path of ['out/secret', 'file', '../../../../../etc/passwd', 'out/../../etc/passwd', 'dangling']) {
          expect(await wire.code(`SIZE ${path}`), path).to.equal(550)
          for (const command of ['RETR', 'STOR', 'APPE']) {
            if (path.includes('..') && command !== 'RETR') continue
            await wire.data()
            expect(await wire.code(`${command} ${path}`), `${command} ${path}`).to.equal(550)
          }
        }
        for (const line of ['CWD out', 'MLST out/secret', 'DELE out/secret', 'MKD out/x', 'RNFR out/secret']) {
          expect(await wire.code(line), line).to.equal(550)
        }
        await wire.ask('RNFR file')
        expect(await wire.code('RNTO out/file')).to.equal(550)
        expect(await readdir(outside)).to.deep.equal(['secret'])
        expect(await readFile(join(outside, 'secret'), 'utf8')).to.equal('secret')
      } finally {
        await rm(outside, { recursive: true })
      }
    })

    it('of the root cannot be removed or renamed', async () => {
      const wire = await loggedIn()
      for (const line of ['RMD /', 'RMD ..', 'DELE /', 'RNFR /']) expect(await wire.code(line), line).to.equal(550)
      await access(root)
    })
  })

  describe('facts', () => {
    it('are the same in MLSD and MLST, with the folder and its parent first', async () => {
      await mkdir(join(root, 'folder'))
      await writeFile(join(root, 'folder', 'file'), '12345', { mode: 0o640 })
      await symlink('file', join(root, 'folder', 'link'))
      await utimes(join(root, 'folder', 'file'), 1_000_000_000.9, 1_000_000_000.9)
      const wire = await loggedIn()
      const lines = (await wire.download('MLSD folder')).split('\r\n').slice(0, -1)
      expect(lines[0]).to.match(/^type=cdir;modify=\d{14};perm=\w+;unix\.mode=\d{4};unique=[\w-]+; \.$/)
      expect(lines[1]).to.match(/^type=pdir;.*; \.\.$/)
      const file = lines.find((line) => line.endsWith('; file')) ?? ''
      expect(file).to.match(/^type=file;size=5;modify=20010909014640;perm=radfw;unix\.mode=0640;unique=[\w-]+; file$/)
      expect(lines.find((line) => line.endsWith('; link'))).to.match(/^type=OS\.unix=symlink;/)
      const single = await wire.ask('MLST folder/file')
      expect(single?.split('\r\n')[1]).to.equal(` ${file.replace(/ file$/, ' /folder/file')}`)
      expect(await wire.ask('MDTM folder/file')).to.equal('213 20010909014640')
      expect(await wire.ask('SIZE folder/file')).to.equal('213 5')
      expect(await wire.ask('FEAT')).to.match(/\r\n MLST type\*;size\*;modify\*;perm\*;unix\.mode\*;unique\*;\r\n/)
    })

    it('can be set: MFMT and SITE CHMOD, and a time that does not exist is refused', async () => {
      await writeFile(join(root, ' a b '), '')
      const wire = await loggedIn()
      expect(await wire.ask('MFMT 20150614123045  a b ')).to.match(/^213 Modify=20150614123045;/)
      expect((await stat(join(root, ' a b '))).mtime.toISOString()).to.equal('2015-06-14T12:30:45.000Z')
      expect(await wire.code('SITE CHMOD 751  a b ')).to.equal(200)
      expect((await stat(join(root, ' a b '))).mode & 0o777).to.equal(0o751)
      for (const time of ['20150230000000', '20151301000000', '2015', '']) {
        expect(await wire.code(`MFMT ${time}  a b `), time).to.equal(501)
      }
      expect(await wire.code('MFMT 20150614123045 missing')).to.equal(550)
    })

    it('are not offered with listOnly', async () => {
      const wire = await loggedIn({ listOnly: true })
      expect(await wire.ask('FEAT')).to.not.match(/MLST|MFMT/)
      for (const line of ['MLST /', 'MLSD', 'MFMT 20150614123045 x']) expect(await wire.code(line)).to.equal(502)
    })
  })

  describe('renaming', () => {
    it('replaces a file, and no folder', async () => {
      await writeFile(join(root, 'new'), 'new')
      await writeFile(join(root, 'old'), 'old')
      await mkdir(join(root, 'empty'))
      await mkdir(join(root, 'other'))
      const wire = await loggedIn()
      expect(await wire.code('RNFR missing')).to.equal(550)
      expect(await wire.code('RNFR new')).to.equal(350)
      expect(await wire.code('RNTO old')).to.equal(250)
      expect(await readFile(join(root, 'old'), 'utf8')).to.equal('new')
      for (const from of ['old', 'other']) {
        await wire.ask(`RNFR ${from}`)
        expect(await wire.code('RNTO empty'), from).to.equal(550)
      }
      expect((await readdir(root)).sort()).to.deep.equal(['empty', 'old', 'other'])
    })

    it('needs RNFR directly before', async () => {
      await writeFile(join(root, 'file'), '')
      const wire = await loggedIn()
      expect(await wire.code('RNTO x')).to.equal(503)
      await wire.ask('RNFR file')
      await wire.ask('NOOP')
      expect(await wire.code('RNTO x')).to.equal(503)
    })
  })

  describe('transfers', () => {
    it('restart where REST says, once', async () => {
      await writeFile(join(root, 'file'), '0123456789')
      const wire = await loggedIn()
      expect(await wire.code('REST 4')).to.equal(350)
      expect(await wire.download('RETR file')).to.equal('456789')
      expect(await wire.download('RETR file')).to.equal('0123456789')
      await wire.ask('REST 100')
      expect(await wire.download('RETR file')).to.equal('')
      await wire.ask('REST 4')
      expect(await wire.upload('STOR file', 'ab')).to.equal(226)
      expect(await readFile(join(root, 'file'), 'utf8')).to.equal('0123ab6789')
      await wire.ask('REST 11')
      expect(await wire.upload('STOR file', 'ab')).to.equal(554)
      expect(await wire.code('REST -1')).to.equal(501)
    })

    it('do not inherit the REST of one that failed', async () => {
      await writeFile(join(root, 'file'), '0123456789')
      const wire = await loggedIn()
      await wire.ask('REST 4')
      await wire.data()
      expect(await wire.code('RETR missing')).to.equal(550)
      expect(await wire.download('RETR file')).to.equal('0123456789')
    })

    it('without a data connection are answered 425 and change nothing', async () => {
      await writeFile(join(root, 'file'), 'whole')
      const wire = await loggedIn({ deadlines: { accept: 30 } })
      expect(await wire.code('STOR file')).to.equal(425)
      expect(await wire.code('EPSV')).to.equal(229)
      expect(await wire.code('STOR file')).to.equal(425)
      expect(await wire.code('LIST')).to.equal(425)
      expect(await readFile(join(root, 'file'), 'utf8')).to.equal('whole')
    })

    it('take a data connection from the address of the client alone', async () => {
      await writeFile(join(root, 'file'), 'content')
      const wire = await loggedIn({ deadlines: { accept: 5000 } })
      const port = Number(/\|\|\|(\d+)\|/.exec((await wire.ask('EPSV')) ?? '')?.[1])
      const stranger = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.2' })
      stranger.on('error', () => undefined)
      await once(stranger, 'close')
      const own = connect({ port, host: '127.0.0.1' })
      const parts: Buffer[] = []
      own.on('data', (chunk: Buffer) => parts.push(chunk))
      await once(own, 'connect')
      const closed = once(own, 'close')
      expect(await wire.code('RETR file')).to.equal(150)
      await closed
      expect(Buffer.concat(parts).toString()).to.equal('content')
      expect(stranger.bytesRead).to.equal(0)
    })

    it('work in PASV, where the port is two numbers', async () => {
      await writeFile(join(root, 'file'), 'content')
      const wire = await loggedIn()
      const numbers = /\((\d+,\d+,\d+,\d+),(\d+),(\d+)\)/.exec((await wire.ask('PASV')) ?? '')
      expect(numbers?.[1]).to.equal('127,0,0,1')
      const data = connect({ port: Number(numbers?.[2]) * 256 + Number(numbers?.[3]), host: '127.0.0.1' })
      const text = once(data, 'data')
      expect(await wire.code('RETR file')).to.equal(150)
      expect(String((await text)[0])).to.equal('content')
      expect(await wire.reply()).to.match(/^226 /)
    })

    it('that ABOR stops are answered 426, and the connection goes on', async () => {
      await writeFile(join(root, 'large'), Buffer.alloc(50_000_000))
      const wire = await loggedIn()
      for (const command of ['RETR large', 'STOR new']) {
        const data = await wire.data()
        expect(await wire.code(command), command).to.equal(150)
        if (command === 'STOR new') data.write('half')
        else await once(data, 'readable')
        // As telnet clients send it: IAC IP IAC and then the command.
        expect(await wire.code(Buffer.concat([Buffer.of(0xff, 0xf4, 0xff), Buffer.from('ABOR\r\n')]))).to.equal(426)
        expect(await wire.reply()).to.match(/^226 /)
        expect(await wire.download('MLSD')).to.include('large')
      }
    })

    it('whose data connection is reset are answered 426', async () => {
      const wire = await loggedIn()
      const data = await wire.data()
      expect(await wire.code('STOR new')).to.equal(150)
      await new Promise<void>((resolve) => data.write('half', () => resolve()))
      while ((await stat(join(root, 'new'))).size < 4) await turn()
      data.resetAndDestroy()
      expect(await wire.reply()).to.match(/^426 /)
      expect(await wire.upload('STOR new', 'whole')).to.equal(226)
    })

    it('that stand still are ended', async () => {
      const wire = await loggedIn({ deadlines: { stall: 30 } })
      await wire.data()
      expect(await wire.code('STOR new')).to.equal(150)
      expect(await wire.reply()).to.match(/^426 /)
    })

    it('to a full disk are answered 452', async function () {
      await access('/dev/full').catch(() => this.skip())
      const wire = await loggedIn({ users: [{ ...USER, root: '/dev' }] })
      expect(await wire.upload('STOR full', 'x')).to.equal(452)
      expect(await wire.code('NOOP')).to.equal(200)
    })
  })

  describe('a client that misbehaves', () => {
    it('with a line without end is answered 500 and let go', async () => {
      const wire = await loggedIn()
      expect(await wire.code(Buffer.alloc(20_000, 'x'))).to.equal(500)
      expect(await wire.reply()).to.equal(undefined)
    })

    it('may send many commands at once and gets all answers in order', async () => {
      const wire = await loggedIn()
      wire.socket.write(Array.from({ length: 500 }, (_, i) => `MKD d${i}\r\n`).join(''))
      for (let i = 0; i < 500; i++) expect(await wire.reply()).to.include(`"/d${i}"`)
    })

    it('by silence is let go with 421, but not while it transfers', async () => {
      const wire = await loggedIn({ deadlines: { idle: 60 } })
      const data = await wire.data()
      expect(await wire.code('STOR new')).to.equal(150)
      for (let i = 0; i < 6; i++) {
        data.write('piece')
        await new Promise((resolve) => setTimeout(resolve, 25))
      }
      data.end()
      expect(await wire.reply()).to.match(/^226 /)
      expect(await wire.reply()).to.match(/^421 /)
      expect(await wire.reply()).to.equal(undefined)
    })

    it('by resets at any moment disturbs nobody else, and leaves nothing open', async () => {
      const server = await serve()
      for (const lines of ['', 'USER user1\r\n', `USER user1\r\nPASS ${USER.password}\r\nEPSV\r\nSTOR x\r\nLIST\r\n`]) {
        const wire = await wireTo(server)
        await new Promise<void>((resolve) => wire.socket.write(lines, () => resolve()))
        wire.socket.resetAndDestroy()
      }
      const wire = await wireTo(server)
      await wire.ask('USER user1')
      await wire.ask(`PASS ${USER.password}`)
      const data = await wire.data()
      expect(await wire.code('STOR half')).to.equal(150)
      const gone = once(data, 'close')
      data.resume()
      wire.socket.resetAndDestroy()
      await gone
      expect((await lstat(join(root, 'half'))).size).to.equal(0)
      await (await wireTo(server)).ask('NOOP')
    })

    it('does not keep the server from closing', async () => {
      const server = await serve()
      const wire = await wireTo(server)
      await wire.ask('USER user1')
      await wire.ask(`PASS ${USER.password}`)
      const data = await wire.data()
      await wire.ask('STOR half')
      const gone = once(data.resume(), 'close')
      await server.close()
      await gone
      expect(server.connections).to.equal(0)
      expect(await wire.reply()).to.equal(undefined)
    })
  })
})
