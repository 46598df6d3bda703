import { expect } from 'chai'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { SocketBuffer, type SshProtocol } from '../../src/storage/sftp/socket-buffer.js'

const CHANNEL_DATA = 94
const KEXINIT = 20

describe('the buffer of an SFTP socket', () => {
  let server: Server
  let remote: Socket
  let socket: Socket
  let protocol: SshProtocol
  let payloads: Buffer[]

  beforeEach(async () => {
    server = createServer((accepted) => (remote = accepted)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    socket = connect({ port, host: '127.0.0.1', onread: SocketBuffer.onread(() => socket) })
    await Promise.all([once(socket, 'connect'), once(server, 'connection')])
    payloads = []
    const onPayload = (payload: Buffer) => payloads.push(payload)
    protocol = { _onPayload: onPayload, _decipher: { _onPayload: onPayload } }
  })

  afterEach(() => {
    socket.destroy()
    remote.destroy()
    server.close()
  })

  /** What one read brought, as ssh2 gets it. */
  async function receive(bytes: number[]): Promise<Buffer> {
    const read = once(socket, 'data')
    remote.write(Buffer.from(bytes))
    const [chunk] = (await read) as [Buffer]
    return chunk
  }

  function reuse(): void {
    const buffer = SocketBuffer.of(socket)
    if (!buffer) throw new Error('The socket has no buffer.')
    buffer.reuse(protocol)
  }

  it('is used again for what comes after the login, and for nothing before', async () => {
    const login = await receive([1, 2, 3])
    reuse()
    const first = await receive([4, 5, 6])
    const second = await receive([7, 8, 9])
    expect([...login]).to.deep.equal([1, 2, 3])
    expect(first.buffer).to.equal(second.buffer)
    expect([...first]).to.deep.equal([7, 8, 9])
  })

  it('leaves packets to ssh2 that it keeps, and channel data that it hands on', async () => {
    await receive([0])
    reuse()
    const chunk = await receive([KEXINIT, 1, CHANNEL_DATA, 2])
    protocol._decipher._onPayload(chunk.subarray(0, 2))
    protocol._onPayload(chunk.subarray(2, 4))
    await receive([9, 9, 9, 9])
    expect(payloads.map((payload) => [...payload])).to.deep.equal([
      [KEXINIT, 1],
      [9, 9],
    ])
  })

  it('leaves all to ssh2 while keys are exchanged', async () => {
    await receive([0])
    reuse()
    protocol._decipher._onPayload = () => undefined
    const chunk = await receive([1, 2])
    protocol._decipher._onPayload = protocol._onPayload
    await receive([3, 4])
    expect([...chunk]).to.deep.equal([1, 2])
  })

  it('leaves a packet to ssh2 that waits for its tag', async () => {
    await receive([0])
    reuse()
    socket.once('data', (chunk: Buffer) => (protocol._decipher._packet = chunk.subarray(1)))
    await receive([1, 2, 3])
    await receive([7, 8, 9])
    expect([...(protocol._decipher._packet ?? [])]).to.deep.equal([2, 3])
  })

  it('frees what ssh2 made for a packet that two reads cut, and nothing else', async () => {
    await receive([0])
    reuse()
    const PADDING = 7
    /** As ssh2 makes it: padding length, payload, padding. */
    const packet = (type: number, extra = 0) => {
      const memory = new Uint8Array(32 * 1024 + extra)
      memory[0] = PADDING
      memory[1] = type
      return memory
    }
    const payloadOf = ({ buffer, length }: Uint8Array<ArrayBuffer>, extra = 0) =>
      Buffer.from(buffer, 1, length - 1 - PADDING - extra)
    const cut = packet(CHANNEL_DATA)
    const other = packet(KEXINIT)
    const withMore = packet(CHANNEL_DATA, 16)
    protocol._onPayload(payloadOf(cut))
    protocol._onPayload(payloadOf(other))
    protocol._onPayload(payloadOf(withMore, 16))
    expect([cut, other, withMore].map(({ length }) => length)).to.deep.equal([0, 32 * 1024, 32 * 1024 + 16])
  })
})
