import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { FtpSession, type FtpDeadlines } from './ftp-server-session.js'
import { JailedFolder } from './jailed-folder.js'

export interface EmbeddedFtpUser {
  readonly username: string
  readonly password: string
  /** Local folder that is this user's whole tree. */
  readonly root: string
}

export interface EmbeddedFtpOptions {
  readonly users: readonly EmbeddedFtpUser[]
  /** 127.0.0.1 when left out. */
  readonly host?: string
  /** A free one when left out. */
  readonly port?: number
  /** Leaves MLSD, MLST and MFMT out, as older servers do. */
  readonly listOnly?: boolean
  readonly deadlines?: Partial<FtpDeadlines>
}

export interface EmbeddedFtpServer {
  readonly port: number
  /** Control connections that are open. */
  readonly connections: number
  /** The latest login attempts, oldest first. */
  readonly logins: readonly { readonly username: string; readonly accepted: boolean }[]
  /** Ends every connection and stops listening. */
  close(): Promise<void>
}

const DEADLINES: FtpDeadlines = { idle: 300_000, accept: 10_000, stall: 300_000 }
const MAX_CONNECTIONS = 256
const LOGINS_KEPT = 1000

/**
 * An FTP server for demo and tests: each user sees one local folder as the whole tree. Passive mode alone, and files are
 * sent as they are whatever TYPE says. Not for the open network: there is no TLS.
 */
export async function startEmbeddedFtpServer(options: EmbeddedFtpOptions): Promise<EmbeddedFtpServer> {
  const folders = new Map<string, JailedFolder>()
  for (const user of options.users) folders.set(user.username, await JailedFolder.open(user.root))
  const deadlines = { ...DEADLINES, ...options.deadlines }
  const listOnly = options.listOnly ?? false
  const logins: { username: string; accepted: boolean }[] = []
  const sockets = new Set<Socket>()
  const sessions = new Set<Promise<void>>()

  const login = (username: string, password: string): JailedFolder | undefined => {
    const user = options.users.find((candidate) => candidate.username === username)
    const accepted = user !== undefined && isSame(user.password, password)
    logins.push({ username, accepted })
    if (logins.length > LOGINS_KEPT) logins.shift()
    return accepted ? folders.get(username) : undefined
  }
  const listener = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    const { ended } = new FtpSession(socket, { login, deadlines, listOnly })
    sessions.add(ended)
    void ended.then(() => sessions.delete(ended))
  })
  listener.maxConnections = MAX_CONNECTIONS
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject)
    listener.listen(options.port ?? 0, options.host ?? '127.0.0.1', () => {
      listener.off('error', reject)
      resolve()
    })
  })

  return {
    port: (listener.address() as AddressInfo).port,
    logins,
    get connections() {
      return sockets.size
    },
    async close() {
      await new Promise<void>((resolve) => {
        listener.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      })
      await Promise.all(sessions)
    },
  }
}

function isSame(a: string, b: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(hash(a), hash(b))
}
