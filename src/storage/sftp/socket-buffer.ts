import type { OnReadOpts, Socket } from 'node:net'
import { free, madeForOneReader } from '../spent-bytes.js'

/** How ssh2 takes packets apart, as far as it keeps what it was given. */
export interface SshProtocol {
  _onPayload: PayloadHandler
  _decipher: { _onPayload: PayloadHandler; _packet?: Uint8Array | null }
}

type PayloadHandler = (payload: Buffer) => unknown

/** Bytes read at once at most. Fewer, and more packets are cut in two, each of which ssh2 puts together in a new buffer. */
const SIZE = 256 * 1024
/** RFC 4254 section 5.2. */
const CHANNEL_DATA = 94

/**
 * Where a socket reads to, again and again. A new buffer for each read is memory that waits for the collector, and malloc
 * does not give it back: four downloads at once took 70 MB of it.
 *
 * What comes before `reuse` is copied for ssh2, which keeps parts of it.
 */
export class SocketBuffer {
  static readonly #ofSockets = new WeakMap<Socket, SocketBuffer>()
  readonly #buffer = Buffer.allocUnsafeSlow(SIZE)
  #protocol: SshProtocol | undefined
  #onPayload: PayloadHandler | undefined

  /** For `onread` of a socket that is about to be made; its bytes come as `data` events, as ever. */
  static onread(socket: () => Socket): OnReadOpts {
    const own = new SocketBuffer()
    return {
      buffer: own.#buffer,
      callback: (length) => {
        SocketBuffer.#ofSockets.set(socket(), own)
        socket().emit('data', own.#take(length))
        own.#keepNothing()
        return true
      },
    }
  }

  /** The one that `socket` reads to; undefined for one that was made without. */
  static of(socket: Socket): SocketBuffer | undefined {
    return SocketBuffer.#ofSockets.get(socket)
  }

  /**
   * From now on ssh2 gets what was read and not a copy. Of channel data it keeps nothing once it has handed it on, and what
   * it made for a packet that two reads cut is freed then; it gets a copy of all other packets, and of whatever comes while
   * keys are exchanged anew. To be called when the login is over.
   */
  reuse(protocol: SshProtocol): void {
    const handle = protocol._onPayload
    const copying: PayloadHandler = (payload) => {
      if (payload[0] !== CHANNEL_DATA) return handle(Buffer.from(payload))
      const handled = handle(payload)
      if (isAlone(payload)) free(madeForOneReader(new Uint8Array(payload.buffer)))
      return handled
    }
    // Deciphers that follow take theirs from the protocol.
    protocol._onPayload = protocol._decipher._onPayload = copying
    this.#onPayload = copying
    this.#protocol = protocol
  }

  #take(length: number): Buffer {
    const chunk = this.#buffer.subarray(0, length)
    const reusable = this.#protocol && this.#protocol._decipher._onPayload === this.#onPayload
    return reusable ? chunk : Buffer.from(chunk)
  }

  /** A packet that came whole, but not yet the tag behind it, waits where it was read. */
  #keepNothing(): void {
    const decipher = this.#protocol?._decipher
    if (decipher?._packet?.buffer === this.#buffer.buffer) decipher._packet = Buffer.from(decipher._packet)
  }
}

/** Whether ssh2 made the memory of `payload` for its packet alone: byte padding length, payload, padding (RFC 4253 section 6). */
function isAlone({ buffer, byteOffset, length }: Buffer): boolean {
  if (byteOffset !== 1) return false
  const [padding = 0] = new Uint8Array(buffer, 0, 1)
  return buffer.byteLength === 1 + length + padding
}
