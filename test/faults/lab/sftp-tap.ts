import { reset } from './reset.js'
import { once } from 'node:events'
import { chmod, copyFile, mkdtemp, rm } from 'node:fs/promises'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import path from 'node:path'
import { Injector, type Action, type Fault } from './injection.js'

/** SFTP protocol version 3, draft-ietf-secsh-filexfer-02 section 3. */
const VERBS: Readonly<Record<number, string>> = {
  1: 'INIT',
  3: 'OPEN',
  4: 'CLOSE',
  5: 'READ',
  6: 'WRITE',
  7: 'LSTAT',
  8: 'FSTAT',
  9: 'SETSTAT',
  10: 'FSETSTAT',
  11: 'OPENDIR',
  12: 'READDIR',
  13: 'REMOVE',
  14: 'MKDIR',
  15: 'RMDIR',
  16: 'REALPATH',
  17: 'STAT',
  18: 'RENAME',
  19: 'READLINK',
  20: 'SYMLINK',
  200: 'EXTENDED',
}
const STATUS = 101

/**
 * Sits between a real sshd and its real sftp-server, by a shim in `Subsystem sftp`, and acts on the n-th request as a
 * fault proxy does on the n-th command of FTP.
 */
export class SftpTap {
  readonly #commands = new Map<number, Injector>()
  readonly #sessions = new Map<string, TapSession>()
  readonly #sockets = new Set<Socket>()

  private constructor(
    private readonly folder: string,
    private readonly port: number,
    private readonly close: () => Promise<void>,
  ) {}

  static async start(): Promise<SftpTap> {
    const folder = await mkdtemp('/tmp/ftpcluster-shim-')
    await chmod(folder, 0o755)
    const shim = path.join(folder, 'sftp-shim.mjs')
    await copyFile(path.join(import.meta.dirname, 'sftp-shim.mjs'), shim)
    await chmod(shim, 0o755)
    const server = createServer({ allowHalfOpen: true, noDelay: true })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const close = () => new Promise<void>((resolve) => server.close(() => resolve()))
    const tap = new SftpTap(folder, (server.address() as AddressInfo).port, close)
    server.on('connection', (socket: Socket) => tap.#greet(socket))
    return tap
  }

  /** The line for sshd_config. @param program the real sftp-server as sshd sees it */
  subsystem(program: string): string {
    return `Subsystem sftp ${process.execPath} ${this.folder}/sftp-shim.mjs ${this.port} ${program} -u 022`
  }

  /** What acts on the requests of one system user. */
  commandsOf(uid: number): Injector {
    const known = this.#commands.get(uid)
    if (known !== undefined) return known
    const commands = new Injector()
    this.#commands.set(uid, commands)
    return commands
  }

  /** Ends every session. */
  resetAll(): void {
    for (const session of this.#sessions.values()) session.reset()
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await this.close()
    await rm(this.folder, { recursive: true, force: true })
  }

  #greet(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('close', () => this.#sockets.delete(socket))
    let greeting = Buffer.alloc(0)
    const onData = (chunk: Buffer): void => {
      greeting = Buffer.concat([greeting, chunk])
      if (greeting.length < 17) return
      socket.off('data', onData)
      const [direction, name] = [greeting.toString('latin1', 0, 1), greeting.toString('latin1', 1, 17)]
      let session = this.#sessions.get(name)
      if (session === undefined)
        this.#sessions.set(name, (session = new TapSession(this.commandsOf(Number(name.split(' ')[1])))))
      socket.once('close', () => this.#sessions.delete(name))
      session.take(direction === 'u' ? 'up' : 'down', socket, greeting.subarray(17))
    }
    socket.on('data', onData)
  }
}

class TapSession {
  readonly #sockets: { up?: Socket; down?: Socket } = {}
  readonly #withheld = new Map<number, Fault>()
  #stalled = false

  constructor(private readonly commands: Injector) {}

  take(direction: 'up' | 'down', socket: Socket, first: Buffer): void {
    this.#sockets[direction] = socket
    // What comes up goes back on the same connection, to the real server.
    const onPacket = direction === 'up' ? this.#request.bind(this) : this.#response.bind(this)
    let buffered = Buffer.alloc(0)
    const onData = (chunk: Buffer): void => {
      buffered = Buffer.concat([buffered, chunk])
      while (buffered.length >= 4) {
        const end = 4 + buffered.readUInt32BE(0)
        if (buffered.length < end) return
        onPacket(buffered.subarray(0, end), socket)
        buffered = buffered.subarray(end)
      }
    }
    if (first.length > 0) onData(first)
    socket.on('data', onData)
    socket.on('end', () => socket.end())
  }

  reset(): void {
    this.#stalled = true
    for (const socket of [this.#sockets.up, this.#sockets.down]) if (socket !== undefined) reset(socket)
  }

  #request(packet: Buffer, socket: Socket): void {
    if (this.#stalled) return
    const verb = VERBS[packet[4] ?? 0] ?? `TYPE ${packet[4]}`
    const id = packet.length >= 9 ? packet.readUInt32BE(5) : 0
    const line = verb === 'EXTENDED' ? `EXTENDED ${extensionOf(packet)}` : verb
    const fault = verb === 'INIT' ? undefined : this.commands.judge(verb, line)
    if (fault?.at === 'before') this.#act(fault.action, id, () => socket.write(packet))
    else {
      if (fault !== undefined) this.#withheld.set(id, fault)
      socket.write(packet)
    }
  }

  #response(packet: Buffer, socket: Socket): void {
    if (this.#stalled) return
    const id = packet.length >= 9 ? packet.readUInt32BE(5) : 0
    const fault = this.#withheld.get(id)
    if (fault === undefined) {
      socket.write(packet)
      return
    }
    this.#withheld.delete(id)
    this.#act(fault.action, id, () => socket.write(packet))
  }

  #act(action: Action, id: number, pass: () => void): void {
    switch (action.kind) {
      case 'stall':
        this.#stalled = true
        return
      case 'reset':
        this.reset()
        return
      case 'fin':
        this.#stalled = true
        this.#sockets.down?.end()
        return
      case 'answer':
        this.#sockets.down?.write(statusPacket(id, action.status))
        return
      case 'delay':
        setTimeout(pass, action.ms)
        return
      case 'late':
        throw new Error('A request of SFTP cannot be late: sftp-server ends with its session.')
    }
  }
}

/** `posix-rename@openssh.com` */
function extensionOf(packet: Buffer): string {
  return packet.toString('latin1', 13, 13 + packet.readUInt32BE(9))
}

function statusPacket(id: number, status: number): Buffer {
  const text = Buffer.from('as the test wished')
  const packet = Buffer.alloc(4 + 1 + 4 + 4 + 4 + text.length + 4)
  packet.writeUInt32BE(packet.length - 4, 0)
  packet[4] = STATUS
  packet.writeUInt32BE(id, 5)
  packet.writeUInt32BE(status, 9)
  packet.writeUInt32BE(text.length, 13)
  text.copy(packet, 17)
  return packet
}
