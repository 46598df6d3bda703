import type { Socket } from 'node:net'
import type { SFTPWrapper } from 'ssh2'
import { free, madeForOneReader } from '../spent-bytes.js'

/** ssh2's SFTP object as far as it sends requests. */
interface SftpSender {
  _writeReqid: number
  readonly _requests: Record<number, { cb: (error?: Error) => void }>
  /** What waits for the server's window to open. */
  readonly _buffer: readonly Buffer[]
  readonly _protocol: { channelData(channel: number, data: Buffer): void }
  readonly outgoing: { readonly id: number; readonly state: string; window: number; readonly packetSize: number }
}

export interface WriteRequest {
  readonly handle: Buffer
  /** Copied before `sendWrite` returns. */
  readonly data: Buffer
  /** Where the data belongs in the file. */
  readonly position: number
}

/** `SSH_FXP_WRITE`, draft-ietf-secsh-filexfer-02 section 3. */
const WRITE = 6
/** uint32 length, byte type, uint32 id, uint32 length of the handle; then uint64 position, uint32 length of the data. */
const FIXED = 13 + 12
/** ssh2 counts with 32-bit operators, which know no larger one. */
const LAST_ID = 0x7f_ff_ff_ff

/**
 * Sends one WRITE, cut into packets of the channel straight from `data`. ssh2 puts the request together first, in a buffer of
 * its size, and copies it from there: 1 GiB more of garbage for each GiB, which makes the collector the largest cost of an
 * upload. Left to ssh2 where the server's window has no room for the whole request.
 * @param answer called once, with the error of the server's status, if it is one
 */
export function sendWrite(sftp: SFTPWrapper, request: WriteRequest, answer: (error?: Error | null) => void): void {
  const sender = sftp as unknown as SftpSender
  const { handle, data, position } = request
  const { outgoing, _protocol, _requests } = sender
  const head = headOf(request)
  const length = head.length + data.length
  if (outgoing.state !== 'open' || sender._buffer.length > 0 || outgoing.window <= length) {
    sftp.write(handle, data, 0, data.length, position, answer)
    return
  }
  sender._writeReqid = sender._writeReqid === LAST_ID ? 0 : sender._writeReqid + 1
  head.writeUInt32BE(sender._writeReqid, 5)
  _requests[sender._writeReqid] = { cb: answer }
  outgoing.window -= length
  _protocol.channelData(outgoing.id, head)
  for (let at = 0; at < data.length; at += outgoing.packetSize) {
    _protocol.channelData(outgoing.id, data.subarray(at, at + outgoing.packetSize))
  }
}

/** Everything before the data, without the id. */
function headOf({ handle, data, position }: WriteRequest): Buffer {
  const head = Buffer.allocUnsafe(FIXED + handle.length)
  head.writeUInt32BE(head.length - 4 + data.length, 0)
  head[4] = WRITE
  head.writeUInt32BE(handle.length, 9)
  handle.copy(head, 13)
  head.writeBigUInt64BE(BigInt(position), 13 + handle.length)
  head.writeUInt32BE(data.length, head.length - 4)
  return head
}

/** Frees the packets of large requests as they leave: ssh2 makes a buffer for each, and keeps none. */
export function freeWhatLeft(socket: Socket): void {
  const write = socket.write.bind(socket)
  socket.write = (packet: Buffer) => {
    madeForOneReader(packet)
    return write(packet, () => free(packet))
  }
}
