import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/** Stands before a server on this machine and passes everything on. */
export class TcpTap {
  /** Times that a client said something after the server had: round trips, where the client speaks first. */
  turns = 0
  readonly #sockets = new Set<Socket>()
  readonly #server: Server

  constructor(port: number) {
    this.#server = createServer((client) => {
      const upstream = connect({ port, host: '127.0.0.1', noDelay: true })
      client.setNoDelay(true)
      let answered = true
      client.on('data', (packet) => {
        if (answered) this.turns++
        answered = false
        this.sent(packet)
        upstream.write(packet)
      })
      upstream.on('data', (packet) => {
        answered = true
        client.write(packet)
      })
      for (const [one, other] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        this.#sockets.add(one)
        one.on('error', () => undefined).on('close', () => other.destroy())
      }
    })
  }

  /** Told of each packet of a client. */
  protected sent(_packet: Buffer): void {}

  /** @returns the port to connect to */
  listen(): Promise<number> {
    return new Promise((resolve) => {
      this.#server.listen(0, '127.0.0.1', () => resolve((this.#server.address() as AddressInfo).port))
    })
  }

  close(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }
}
