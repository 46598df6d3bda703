import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { expectContinue } from '../../src/http/body.js'

export type Handler = (request: IncomingMessage, response: ServerResponse) => unknown

export interface TestServer {
  readonly url: string
  readonly port: number
  readonly server: Server
  stop(): Promise<void>
}

/** `handler` behind a real socket on loopback. */
export async function serve(handler: Handler): Promise<TestServer> {
  const server = createServer({ requestTimeout: 0 }, (request, response) => void handler(request, response))
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    expectContinue(request, response)
    void handler(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    server,
    stop: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** A client that sends exactly these bytes and collects what comes back. */
export class RawClient {
  received = Buffer.alloc(0)
  readonly closed: Promise<void>
  #wake: (() => void) | undefined

  private constructor(readonly socket: Socket) {
    socket.on('data', (data) => {
      this.received = Buffer.concat([this.received, data])
      this.#wake?.()
    })
    socket.on('error', () => this.#wake?.())
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()))
    socket.once('close', () => this.#wake?.())
  }

  static async open(port: number): Promise<RawClient> {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    return new RawClient(socket)
  }

  send(data: string | Buffer): this {
    this.socket.write(data)
    return this
  }

  get text(): string {
    return this.received.toString('latin1')
  }

  /** Waits until what came holds `text`, or rejects when the connection closes before. */
  async until(text: string): Promise<void> {
    while (!this.text.includes(text)) {
      if (this.socket.closed) throw new Error(`closed after: ${JSON.stringify(this.text.slice(0, 400))}`)
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }
}

/** Sends `data`, waits for the end of the connection, and gives what came. */
export async function exchange(port: number, data: string | Buffer): Promise<string> {
  const client = await RawClient.open(port)
  client.send(data)
  await client.closed
  return client.text
}
