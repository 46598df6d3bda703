import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { createSecureContext, TLSSocket } from 'node:tls'

/** What a script may do with the connection that sent the command. */
export interface FakeSession {
  /** Sends a reply; CR LF is added. */
  send(reply: string): void
  /** Sends bytes as they are. */
  sendRaw(text: string): void
  /** The data connection that the client opens after EPSV or PASV. */
  data(): Promise<Socket>
  /** Resets the control connection. */
  reset(): void
  /** Ends it cleanly. */
  end(): void
}

/** A reply, or what to do instead; `argument` is one character per byte. */
export type Script = string | ((session: FakeSession, argument: string) => void | string | Promise<void | string>)

export interface FakeOptions {
  /** By verb; they replace the defaults of a server that lets everybody in. `connect` is the greeting. */
  readonly scripts?: Readonly<Record<string, Script>>
  /** What is read of several commands in one packet; all, unless told otherwise. */
  readonly several?: (lines: string[], session: FakeSession) => string[]
  /** Speaks TLS after AUTH TLS, or from the first byte. */
  readonly tls?: { readonly key: string; readonly cert: string; readonly implicit?: boolean }
}

const DEFAULTS: Readonly<Record<string, Script>> = {
  connect: '220 fake',
  USER: '331 password?',
  PASS: '230 in',
  FEAT: '211-Features:\r\n EPSV\r\n MDTM\r\n SIZE\r\n UTF8\r\n211 End',
  OPTS: '200 ok',
  TYPE: '200 ok',
  PBSZ: '200 ok',
  PROT: '200 ok',
  PWD: '257 "/home" is here',
  CWD: '250 ok',
  NOOP: '200 ok',
}

/** A server whose every answer a test writes. */
export class FakeFtpServer {
  /** All command lines of all connections in order, one character per byte. */
  readonly lines: string[] = []
  /** The same, by the packets in which they came; commands of one packet are joined by `+`. */
  readonly packets: string[] = []
  /** Connections accepted on data ports. */
  dataConnections = 0
  readonly #sockets = new Set<Socket>()
  readonly #servers = new Set<Server>()
  #port = 0

  static async start(options: FakeOptions = {}): Promise<FakeFtpServer> {
    const fake = new FakeFtpServer()
    fake.#port = await fake.#listen((socket) => new Conversation(fake, options, socket))
    return fake
  }

  get port(): number {
    return this.#port
  }

  /** Names of the commands that came, without their arguments. */
  get verbs(): string[] {
    return this.lines.map((line) => line.split(' ')[0] ?? '')
  }

  /** A port of this machine that counts who comes, and waits. */
  async dataPort(): Promise<{ port: number; socket: Promise<Socket> }> {
    let accept!: (socket: Socket) => void
    const socket = new Promise<Socket>((resolve) => (accept = resolve))
    const port = await this.#listen((connection) => {
      this.dataConnections++
      accept(connection)
    })
    return { port, socket }
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await Promise.all([...this.#servers].map((server) => new Promise((resolve) => server.close(resolve))))
  }

  track(socket: Socket): void {
    this.#sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('error', () => undefined)
    socket.once('close', () => this.#sockets.delete(socket))
  }

  async #listen(onConnection: (socket: Socket) => void): Promise<number> {
    const server = createServer((socket) => {
      this.track(socket)
      onConnection(socket)
    })
    this.#servers.add(server)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  }
}

class Conversation implements FakeSession {
  readonly #scripts: Readonly<Record<string, Script>>
  #socket: Socket
  #data: Promise<Socket> | undefined
  #input = ''
  #queue = Promise.resolve()

  constructor(
    private readonly fake: FakeFtpServer,
    private readonly options: FakeOptions,
    socket: Socket,
  ) {
    this.#scripts = {
      ...DEFAULTS,
      EPSV: async () => `229 ok (|||${await this.openPort()}|)`,
      ...(options.tls ? { AUTH: () => this.#startTls('234 go on') } : {}),
      ...options.scripts,
    }
    this.#socket = socket
    if (options.tls?.implicit) this.#startTls()
    else this.#listen(socket)
    this.#run('connect', '')
  }

  send(reply: string): void {
    this.sendRaw(reply + '\r\n')
  }

  sendRaw(text: string): void {
    if (this.#socket.writable) this.#socket.write(text, 'latin1')
  }

  data(): Promise<Socket> {
    if (!this.#data) throw new Error('no EPSV before this')
    return this.#data
  }

  reset(): void {
    this.#socket.resetAndDestroy()
  }

  end(): void {
    this.#socket.end()
  }

  private async openPort(): Promise<number> {
    const { port, socket } = await this.fake.dataPort()
    this.#data = socket
    return port
  }

  #startTls(reply?: string): void {
    if (reply !== undefined) this.send(reply)
    const plain = this.#socket
    plain.removeAllListeners('data')
    const { key = '', cert = '' } = this.options.tls ?? {}
    this.#socket = new TLSSocket(plain, { isServer: true, secureContext: createSecureContext({ key, cert }) })
    this.fake.track(this.#socket)
    this.#listen(this.#socket)
  }

  #listen(socket: Socket): void {
    socket.setEncoding('latin1').on('data', (text: string) => {
      const lines = (this.#input + text).split('\r\n')
      this.#input = lines.pop() ?? ''
      if (lines.length > 0) this.fake.packets.push(lines.join('+'))
      const { several } = this.options
      for (const line of several !== undefined && lines.length > 1 ? several(lines, this) : lines) {
        this.fake.lines.push(line)
        const [verb = ''] = line.split(' ')
        this.#run(verb.toUpperCase(), line.slice(verb.length + 1))
      }
    })
  }

  #run(verb: string, argument: string): void {
    this.#queue = this.#queue.then(async () => {
      const script = this.#scripts[verb] ?? '502 not here'
      const reply = typeof script === 'string' ? script : await script(this, argument)
      if (typeof reply === 'string') this.send(reply)
    })
  }
}
