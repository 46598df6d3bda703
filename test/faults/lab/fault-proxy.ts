import { reset } from './reset.js'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { FtpControlLink } from './ftp-control-link.js'
import { Injector } from './injection.js'
import { pump, type Shape } from './pump.js'

export type Direction = 'up' | 'down'

/** Acts at a byte of a connection, once. `up` is towards the server. */
export interface ByteRule {
  readonly channel: 'control' | 'data'
  readonly direction: Direction
  /** Bytes that still pass. */
  readonly after: number
  /** `cut`: FIN to both sides. `fin`: FIN to the receiver only. `corrupt`: the next byte is another. */
  readonly action: 'stall' | 'reset' | 'fin' | 'cut' | 'corrupt'
}

export interface FaultProxyOptions {
  /** Understands FTP in the clear: commands can be acted on, data ports lead through the proxy. */
  readonly ftp: boolean
}

/**
 * A TCP proxy before one server that misbehaves as it is told: at a command, at a byte, or all the time. Without rules it
 * is transparent.
 */
export class FaultProxy {
  readonly commands = new Injector()
  /** Delays, slices and slows what passes; read anew for every chunk. */
  shape: Shape = {}
  /** Where EPSV and PASV point instead of a port of the proxy. */
  foreignDataPort: number | undefined
  /** Connections on the control port so far. */
  accepted = 0
  /** Bytes of data connections so far; where FTP is not understood, of all connections. */
  readonly bytes = { up: 0, down: 0 }
  readonly #rules: ByteRule[] = []
  readonly #sockets = new Set<Socket>()
  readonly #listeners = new Set<Server>()
  #main: Server | undefined
  #frozen = false
  #port = 0

  private constructor(
    readonly target: { readonly host: string; readonly port: number },
    readonly options: FaultProxyOptions,
  ) {}

  static async start(target: FaultProxy['target'], options: FaultProxyOptions): Promise<FaultProxy> {
    const proxy = new FaultProxy(target, options)
    await proxy.open()
    return proxy
  }

  get port(): number {
    return this.#port
  }

  /** Control connections that are open now. */
  controls = 0

  /** Listens (again), on the same port. */
  async open(): Promise<void> {
    if (this.#main !== undefined) return
    this.#main = await this.listen((client) => {
      this.accepted++
      this.#control(client)
    }, this.#port)
    this.#port = (this.#main.address() as AddressInfo).port
  }

  /** Stops listening and resets what is open: a server that is down. */
  async down(): Promise<void> {
    const main = this.#main
    this.#main = undefined
    this.resetAll()
    if (main === undefined) return
    this.#listeners.delete(main)
    await new Promise((resolve) => main.close(resolve))
  }

  atByte(rule: ByteRule): void {
    this.#rules.push(rule)
  }

  /** Nothing passes any more, on connections that are open and on new ones, until `thaw`. */
  freeze(): void {
    this.#frozen = true
    for (const socket of this.#sockets) socket.pause()
  }

  thaw(): void {
    this.#frozen = false
    for (const socket of this.#sockets) socket.resume()
  }

  get frozen(): boolean {
    return this.#frozen
  }

  /** Nothing more is heard on the connections that are open now, as when a NAT forgot them. */
  forgetAll(): void {
    for (const socket of this.#sockets) socket.pause()
  }

  resetAll(): void {
    for (const socket of [...this.#sockets]) reset(socket)
  }

  /** FIN to the clients of all connections. */
  endAll(): void {
    for (const socket of [...this.#sockets]) socket.end()
  }

  /** No rules, no shape, nothing frozen. */
  calm(): void {
    this.#rules.length = 0
    this.shape = {}
    this.foreignDataPort = undefined
    this.commands.disarm()
    this.thaw()
  }

  async stop(): Promise<void> {
    for (const socket of [...this.#sockets]) socket.destroy()
    await Promise.all([...this.#listeners].map((server) => new Promise((resolve) => server.close(resolve))))
  }

  /** The rule that strikes within the next `length` bytes, and takes it off. */
  takeRule(channel: ByteRule['channel'], direction: Direction, passed: number, length: number): ByteRule | undefined {
    const found = this.#rules.findIndex(
      (rule) => rule.channel === channel && rule.direction === direction && rule.after < passed + length,
    )
    return found < 0 ? undefined : this.#rules.splice(found, 1)[0]
  }

  /** For the links: listens on a port that goes with the proxy. */
  async listen(onConnection: (socket: Socket) => void, port = 0): Promise<Server> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      this.track(socket)
      onConnection(socket)
    })
    this.#listeners.add(server)
    server.once('close', () => this.#listeners.delete(server))
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return server
  }

  track(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('close', () => this.#sockets.delete(socket))
  }

  dial(port: number): Socket {
    const socket = connect({ host: this.target.host, port, allowHalfOpen: true, noDelay: true })
    this.track(socket)
    return socket
  }

  /** Joins two sockets as a data connection, or as a control connection that is not understood. */
  join(channel: ByteRule['channel'], client: Socket, server: Socket): void {
    pump(this, channel, 'up', client, server)
    pump(this, channel, 'down', server, client)
  }

  #control(client: Socket): void {
    this.controls++
    client.once('close', () => this.controls--)
    const server = this.dial(this.target.port)
    if (this.options.ftp) new FtpControlLink(this, client, server)
    else this.join('control', client, server)
    if (this.#frozen) {
      client.pause()
      server.pause()
    }
  }
}
