import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/** A passive port (RFC 959 section 3.3): takes one connection, and only from the address that the control connection has. */
export class DataPort {
  #socket: Socket | undefined
  #arrived: ((socket: Socket) => void) | undefined

  private constructor(
    private readonly server: Server,
    private readonly peer: string | undefined,
  ) {
    server.on('connection', (socket) => this.#take(socket))
    // A failed accept shows as a connection that does not come.
    server.on('error', () => undefined)
  }

  /** Listens where `control` was reached. */
  static async open(control: Socket): Promise<DataPort> {
    // Half open, since a client may end its side at once and still read; paused, since it may send before STOR.
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true })
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ port: 0, host: control.localAddress, backlog: 4 }, () => resolve())
    })
    return new DataPort(server, control.remoteAddress)
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port
  }

  /** The connection, which becomes the caller's; undefined when none came within `deadline` ms or before `signal`. */
  accept(deadline: number, signal: AbortSignal): Promise<Socket | undefined> {
    return new Promise((resolve) => {
      const settle = (socket?: Socket) => {
        clearTimeout(timer)
        signal.removeEventListener('abort', giveUp)
        this.#arrived = this.#socket = undefined
        this.close()
        resolve(socket)
      }
      const giveUp = () => settle()
      const timer = setTimeout(giveUp, deadline)
      signal.addEventListener('abort', giveUp)
      this.#arrived = settle
      if (this.#socket) settle(this.#socket)
      else if (signal.aborted) giveUp()
    })
  }

  close(): void {
    this.server.close()
    this.#socket?.destroy()
  }

  #take(socket: Socket): void {
    // Whoever uses the socket learns of its end as well.
    socket.on('error', () => undefined)
    if (socket.remoteAddress !== this.peer || this.#socket) {
      socket.destroy()
      return
    }
    this.#socket = socket
    this.#arrived?.(socket)
  }
}
