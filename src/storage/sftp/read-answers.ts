/** ssh2's SFTP object as far as it takes answers apart. */
export interface SftpParser {
  push(data: Buffer | null): unknown
  readonly _requests: Record<number, ReadRequest>
  /** Bytes of the length of the packet that is read, that length, and how much of it came. */
  readonly _pktLenBytes: number
  readonly _pktLen: number
  readonly _pktPos: number
}

interface ReadRequest {
  /** Where the bytes are wanted; only reads have it. */
  readonly buffer?: Buffer
  readonly cb?: (error: undefined, buffer: Buffer, bytes: number) => void
}

/** `SSH_FXP_DATA`, draft-ietf-secsh-filexfer-02 section 7. */
const DATA = 103
/** uint32 length, byte type, uint32 id, uint32 length of the data. */
const HEADER = 13

/**
 * Puts the bytes that reads ask for straight to where they are wanted, as they come. ssh2 gathers each answer in a new
 * buffer, of 255 KiB, and copies it from there. All other answers, and those that are not as they should be, are ssh2's.
 */
export function takeReadAnswers(sftp: SftpParser): void {
  const push = sftp.push.bind(sftp)
  let answer: { id: number; request: Required<ReadRequest>; length: number; got: number } | undefined

  const begin = (data: Buffer, at: number): boolean => {
    if (sftp._pktLenBytes > 0 || data.length - at < HEADER || data[at + 4] !== DATA) return false
    const id = data.readUInt32BE(at + 5)
    const length = data.readUInt32BE(at + 9)
    const { buffer, cb } = sftp._requests[id] ?? {}
    if (!buffer || !cb || length === 0 || length > buffer.length) return false
    if (data.readUInt32BE(at) !== HEADER - 4 + length) return false
    answer = { id, request: { buffer, cb }, length, got: 0 }
    return true
  }

  const fill = (data: Buffer, at: number, { id, request, length, got }: NonNullable<typeof answer>): number => {
    const copied = data.copy(request.buffer, got, at, at + length - got)
    if (got + copied < length) answer = { id, request, length, got: got + copied }
    else {
      answer = undefined
      // Not there any more when the connection ended meanwhile.
      if (sftp._requests[id]?.buffer === request.buffer) {
        Reflect.deleteProperty(sftp._requests, id)
        request.cb(undefined, request.buffer, length)
      }
    }
    return copied
  }

  /** Bytes that belong to the packet that ssh2 is at; of a new one, its length alone. */
  const rest = () => (sftp._pktLenBytes < 4 ? 4 - sftp._pktLenBytes : Math.max(1, sftp._pktLen - sftp._pktPos))

  sftp.push = (data) => {
    if (data === null) return push(null)
    for (let at = 0; at < data.length;) {
      if (answer) at += fill(data, at, answer)
      else if (begin(data, at)) at += HEADER
      else {
        const part = data.subarray(at, at + rest())
        // It has ended the channel.
        if (push(part) === false) return false
        at += part.length
      }
    }
    return undefined
  }
}
