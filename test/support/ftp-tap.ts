import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/** Passes control connections on and keeps the verbs of each packet. Data connections go to the server itself. */
export class FtpTap {
  /** Commands of one packet are joined by `+`; each packet is a round trip. */
  readonly packets: string[] = []
  readonly #sockets = new Set<Socket>()
  readonly #server: Server

  constructor(port: number) {
    this.#server = createServer((client) => {
      const upstream = connect({ port, host: '127.0.0.1', noDelay: true })
      client.setNoDelay(true)
      client.on('data', (packet) => {
        const lines = packet.toString().split('\r\n').slice(0, -1)
        this.packets.push(lines.map((line) => line.split(' ')[0]).join('+'))
        upstream.write(packet)
      })
      upstream.on('data', (packet) => client.write(packet))
      for (const [one, other] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        this.#sockets.add(one)
        one.on('error', () => undefined).on('close', () => other.destroy())
      }
    })
  }

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
