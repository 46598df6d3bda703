import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import ssh2, {
  type AuthContext,
  type AuthenticationType,
  type Connection as SshConnection,
  type ParsedKey,
  type Session,
  type SFTPWrapper,
} from 'ssh2'
import { newKeyPair } from '../storage/sftp/key-pair.js'
import { JailedFolder } from './jailed-folder.js'
import { serveSftp, type SftpRequest } from './sftp-server-session.js'
import { announceExtensions } from './sftp-server-wire.js'

export interface EmbeddedSftpUser {
  readonly username: string
  readonly password?: string
  /** In OpenSSH's form: `ssh-ed25519 AAAA…`. */
  readonly publicKey?: string
  /** Local folder that is this user's whole tree. */
  readonly root: string
}

export interface EmbeddedSftpOptions {
  readonly users: readonly EmbeddedSftpUser[]
  /** Private key in PEM or OpenSSH form; a new ed25519 key when left out. */
  readonly hostKey?: string
  /** 127.0.0.1 when left out. */
  readonly host?: string
  /** A free one when left out. */
  readonly port?: number
  /** Extensions to offer; all that are known when left out. */
  readonly extensions?: readonly string[]
  /** Authentication methods to offer. */
  readonly methods?: readonly ('password' | 'publickey' | 'keyboard-interactive')[]
  /** Bytes that one READ is answered with at most. */
  readonly maxRead?: number
  /** SFTP channels that one connection may have open; any number when left out. */
  readonly maxChannels?: number
  /** What it calls itself. */
  readonly software?: string
  /** The number of the next handle; where that is open, and when left out, the lowest that is not. */
  readonly wishedHandle?: () => number
  /** Asked before each request: a number is sent as its status, a promise delays it and all that follow on the channel. */
  readonly intercept?: (request: SftpRequest) => number | void | Promise<number | void>
}

/** A login attempt with a credential. */
export interface LoginSeen {
  readonly username: string
  readonly method: AuthenticationType
  readonly accepted: boolean
}

export interface EmbeddedSftpServer {
  readonly port: number
  /** `SHA256:…` of the host key. */
  readonly fingerprint: string
  /** File and directory handles that clients hold open. */
  readonly openHandles: number
  /** Connections that are open. */
  readonly connections: number
  readonly logins: readonly LoginSeen[]
  /** Ends every connection and stops listening. */
  close(): Promise<void>
}

const EXTENSIONS = new Map([
  ['posix-rename@openssh.com', '1'],
  ['statvfs@openssh.com', '2'],
  ['fsync@openssh.com', '1'],
])
const METHODS = ['password', 'publickey', 'keyboard-interactive'] as const
/** An answer has to fit into one packet of 256 KiB. */
const MAX_READ = 255 * 1024

/** An SFTP server for demo and tests: each user sees one local folder as the whole tree. Not for the open network. */
export async function startEmbeddedSftpServer(options: EmbeddedSftpOptions): Promise<EmbeddedSftpServer> {
  const hostKey = options.hostKey ?? newKeyPair().privateKey
  const methods = [...(options.methods ?? METHODS)]
  const extensions = new Map([...EXTENSIONS].filter(([name]) => options.extensions?.includes(name) ?? true))
  const folders = new Map<string, JailedFolder>()
  for (const user of options.users) folders.set(user.username, await JailedFolder.open(user.root))
  const logins: LoginSeen[] = []
  const sockets = new Set<Socket>()
  let openHandles = 0

  const ssh = new ssh2.Server({ hostKeys: [hostKey], ident: options.software ?? 'FTPCluster-demo' }, (client) =>
    serveClient(client),
  )

  function serveClient(client: SshConnection): void {
    let username = ''
    // A client that breaks off is no news here.
    client.on('error', () => undefined)
    client.on('authentication', (context) => {
      if (context.method === 'none') {
        context.reject(methods)
        return
      }
      decide(context, (accepted) => {
        logins.push({ username: context.username, method: context.method, accepted })
        username = context.username
        if (accepted) context.accept()
        else context.reject(methods)
      })
    })
    let channels = 0
    client.on('session', (accept, reject) => {
      if (channels >= (options.maxChannels ?? Infinity)) {
        reject()
        return
      }
      channels++
      const session: Session = accept()
      session.on('close', () => channels--)
      session.on('sftp', (acceptSftp) => {
        const folder = folders.get(username)
        if (!folder) return
        const sftp: SFTPWrapper = acceptSftp()
        announceExtensions(sftp, extensions)
        serveSftp(sftp, folder, {
          username,
          extensions,
          maxRead: Math.min(options.maxRead ?? MAX_READ, MAX_READ),
          intercept: options.intercept,
          wishedHandle: options.wishedHandle,
          onHandles: (change) => (openHandles += change),
        })
      })
    })
  }

  function decide(context: AuthContext, done: (accepted: boolean) => void): void {
    const user = options.users.find((candidate) => candidate.username === context.username)
    if (!methods.some((method) => method === context.method)) done(false)
    else if (context.method === 'password') done(isPassword(user, context.password))
    else if (context.method === 'keyboard-interactive') {
      context.prompt([{ prompt: 'Password: ', echo: false }], (answers) => done(isPassword(user, answers[0])))
    } else if (context.method === 'publickey' && user?.publicKey !== undefined) {
      const key = parse(user.publicKey)
      const known = key.getPublicSSH().equals(context.key.data)
      // Without a signature the client only asks whether the key would do (RFC 4252 section 7).
      if (known && !context.signature) context.accept()
      else
        done(
          known &&
            key.verify(context.blob ?? Buffer.alloc(0), context.signature ?? Buffer.alloc(0), context.hashAlgo) ===
              true,
        )
    } else done(false)
  }

  const listener = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => undefined)
    ssh.injectSocket(socket)
  })
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject)
    listener.listen(options.port ?? 0, options.host ?? '127.0.0.1', () => {
      listener.off('error', reject)
      resolve()
    })
  })

  return {
    port: (listener.address() as AddressInfo).port,
    fingerprint: fingerprintOf(hostKey),
    logins,
    get openHandles() {
      return openHandles
    },
    get connections() {
      return sockets.size
    },
    close() {
      return new Promise((resolve) => {
        listener.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      })
    },
  }
}

function isPassword(user: EmbeddedSftpUser | undefined, given: string | undefined): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest()
  if (user?.password === undefined || given === undefined) return false
  return timingSafeEqual(hash(user.password), hash(given))
}

function parse(text: string): ParsedKey {
  const parsed: unknown = ssh2.utils.parseKey(text)
  const key: unknown = Array.isArray(parsed) ? parsed[0] : parsed
  if (key instanceof Error) throw key
  return key as ParsedKey
}

function fingerprintOf(hostKey: string): string {
  const blob = parse(hostKey).getPublicSSH()
  return 'SHA256:' + createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')
}
