import type { SFTPWrapper } from 'ssh2'

/**
 * What ssh2's server side cannot say: extensions in the VERSION packet, and replies to extended requests
 * (draft-ietf-secsh-filexfer-02 sections 4 and 8).
 */

const VERSION = 2
const EXTENDED_REPLY = 201

interface Protocol {
  channelData(id: number, packet: Buffer): void
}

/** The parts of ssh2's SFTP object that send a packet. */
interface Internals {
  _protocol: Protocol
  readonly outgoing: { readonly id: number; window: number }
}

export function uint32(value: number): Buffer {
  const buffer = Buffer.alloc(4)
  buffer.writeUInt32BE(value)
  return buffer
}

export function uint64(value: number): Buffer {
  const buffer = Buffer.alloc(8)
  buffer.writeBigUInt64BE(BigInt(value))
  return buffer
}

export function sshString(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([uint32(bytes.length), bytes])
}

/** The strings that `data` is made of. */
export function readStrings(data: Buffer): Buffer[] {
  const strings: Buffer[] = []
  for (let offset = 0; offset + 4 <= data.length;) {
    const length = data.readUInt32BE(offset)
    strings.push(data.subarray(offset + 4, offset + 4 + length))
    offset += 4 + length
  }
  return strings
}

/** Puts `extensions` into the VERSION packet, which is the first that the server side sends on a channel. */
export function announceExtensions(sftp: SFTPWrapper, extensions: ReadonlyMap<string, string>): void {
  const internals = sftp as unknown as Internals
  const protocol = internals._protocol
  internals._protocol = new Proxy(protocol, {
    get(target, key) {
      if (key === 'channelData') {
        return (id: number, plain: Buffer) => {
          internals._protocol = protocol
          const strings = [...extensions].flatMap(([name, version]) => [sshString(name), sshString(version)])
          const packet = framed(VERSION, uint32(3), ...strings)
          internals.outgoing.window -= packet.length - plain.length
          target.channelData(id, packet)
        }
      }
      const value: unknown = Reflect.get(target, key)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}

export function replyExtended(sftp: SFTPWrapper, requestId: number, ...fields: Buffer[]): void {
  const internals = sftp as unknown as Internals
  const packet = framed(EXTENDED_REPLY, uint32(requestId), ...fields)
  internals.outgoing.window -= packet.length
  internals._protocol.channelData(internals.outgoing.id, packet)
}

function framed(type: number, ...fields: Buffer[]): Buffer {
  const body = Buffer.concat([Buffer.of(type), ...fields])
  return Buffer.concat([uint32(body.length), body])
}
