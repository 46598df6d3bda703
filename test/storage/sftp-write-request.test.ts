import { once } from 'node:events'
import { createRequire } from 'node:module'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { expect } from 'chai'
import fc from 'fast-check'
import type { SFTPWrapper } from 'ssh2'
import { freeWhatLeft, sendWrite } from '../../src/storage/sftp/write-request.js'

type Answer = (error?: Error | null) => void

const { SFTP } = createRequire(import.meta.url)('ssh2/lib/protocol/SFTP.js') as {
  SFTP: { prototype: { write(...args: unknown[]): void } }
}

/** What ssh2's SFTP object needs to send a write, with a window of `window` bytes. */
class Sender {
  readonly packets: Buffer[] = []
  readonly _requests: Record<number, { cb: Answer }> = {}
  readonly _buffer: Buffer[] = []
  readonly _maxWriteLen = 255 * 1024
  readonly outgoing
  readonly _protocol = { channelData: (_: number, data: Buffer) => void this.packets.push(Buffer.from(data)) }

  constructor(
    public _writeReqid: number,
    window: number,
  ) {
    this.outgoing = { id: 1, state: 'open', window, packetSize: 32 * 1024 }
  }

  get sent(): Buffer {
    return Buffer.concat(this.packets)
  }

  readonly write = (...args: unknown[]): void => SFTP.prototype.write.apply(this, args)

  send(handle: Buffer, data: Buffer, position: number, answer: Answer = () => undefined): void {
    sendWrite(this as unknown as SFTPWrapper, { handle, data, position }, answer)
  }
}

describe('a write over SFTP', () => {
  const handle = Buffer.from('h1')

  it('is byte for byte what ssh2 would send, in packets that the channel takes', () => {
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 64 }).map((array) => Buffer.from(array))
    const sizes = fc.integer({ min: 1, max: 255 * 1024 })
    const ids = fc.constantFrom(-1, 0, 7, 0x7f_ff_ff_fe)
    fc.assert(
      fc.property(bytes, bytes, sizes, fc.maxSafeNat(), ids, (handle, pattern, size, position, id) => {
        const data = Buffer.alloc(size, pattern)
        const [ours, theirs] = [new Sender(id, 2 ** 21), new Sender(id, 2 ** 21)]
        ours.send(handle, data, position)
        theirs.write(handle, data, 0, size, position)
        expect(ours.sent.equals(theirs.sent)).to.equal(true)
        expect(Object.keys(ours._requests)).to.deep.equal(Object.keys(theirs._requests))
        expect(ours.outgoing.window).to.equal(theirs.outgoing.window)
        expect(Math.max(...ours.packets.map(({ length }) => length))).to.be.at.most(32 * 1024)
      }),
      { numRuns: 50 },
    )
  })

  it('is left to ssh2 where the window has no room, or something waits for it already', () => {
    const data = Buffer.alloc(100_000, 'x')
    const full = new Sender(0, 50_000)
    full.send(handle, data, 0)
    expect(full.sent.length + Buffer.concat(full._buffer).length).to.equal(data.length + 4 + 1 + 4 + 4 + 2 + 8 + 4)
    const waiting = new Sender(0, 2 ** 21)
    waiting._buffer.push(Buffer.from('before'))
    let left = 0
    Object.assign(waiting, { write: () => left++ })
    waiting.send(handle, data, 0)
    expect([left, waiting.packets.length]).to.deep.equal([1, 0])
  })

  it('hands on what the server says', () => {
    const sender = new Sender(4, 2 ** 21)
    const answers: unknown[] = []
    sender.send(handle, Buffer.from('data'), 0, (error) => answers.push(error))
    sender._requests[5]?.cb()
    expect(answers).to.deep.equal([undefined])
  })
})

describe('packets of a connection', () => {
  it('arrive whole, and leave no memory behind once they have', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
    const [socket] = (await once(server, 'connection')) as [Socket]
    freeWhatLeft(client)
    const packets = Array.from({ length: 100 }, (_, n) => Buffer.alloc(40_000, n))
    const whole = Buffer.concat(packets)
    const chunks: Buffer[] = []
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    for (const packet of packets) client.write(packet)
    client.end()
    await once(socket, 'end')
    expect(Buffer.concat(chunks).equals(whole)).to.equal(true)
    expect(packets.map(({ length }) => length)).to.deep.equal(packets.map(() => 0))
    socket.destroy()
    server.close()
  })
})
