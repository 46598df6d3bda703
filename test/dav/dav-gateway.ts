import {
  Agent,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type ServerResponse,
} from 'node:http'
import type { v2 as webdav } from 'webdav-server'
import { createDavHandler, createDavServer } from '../../src/dav/dav-server.js'
import { DavUser } from '../../src/dav/dav-user.js'
import type { AuthResult } from '../../src/auth/authenticate.js'
import type { DavDependencies } from '../../src/dav/settings.js'
import { createLogger } from '../../src/logger.js'
import { Connections } from '../../src/storage/connections.js'
import { MemoryServer, createMemoryDriver } from '../../src/storage/memory/memory-driver.js'
import type { Mount, UserAccess } from '../../src/vfs/mount.js'
import type { Tree } from '../../src/vfs/tree.js'
import { Trees } from '../../src/vfs/trees.js'
import { serve, type TestServer } from '../support/http-server.js'
import { loggedIn } from '../support/logged-in.js'
import { MemoryJournal, MemoryLockStore } from '../vfs/memory-stores.js'
import { MemoryPropertyStore } from './memory-properties.js'

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface Sent {
  readonly headers?: OutgoingHttpHeaders
  readonly body?: string | Buffer
  /** Default user1. */
  readonly user?: string
}

/** What the gateway wrote to its log. */
export interface LogLine {
  readonly level: number
  readonly msg: string
}

/**
 * The WebDAV edge over servers in memory. `user1` and `user2` share the folder `/srv` of one server as `/server2`; `user1`
 * may read the server `archive`; both passwords are the user's name.
 */
export class DavGateway {
  readonly shared = new MemoryServer({ accounts: { user1: 'a', user2: 'b' }, homes: { user1: '/srv', user2: '/srv' } })
  readonly archive = new MemoryServer({ accounts: { user1: 'a' }, homes: { user1: '/old' } })
  readonly properties = new MemoryPropertyStore()
  readonly lockStore = new MemoryLockStore()
  readonly lines: LogLine[] = []
  readonly #trees: Trees
  readonly #connections: Connections
  readonly #agent = new Agent({ keepAlive: true })
  readonly #access: ReadonlyMap<string, UserAccess>
  readonly dependencies: DavDependencies
  library!: webdav.WebDAVServer
  /** Sees every request before the gateway does. */
  onRequest: (request: IncomingMessage, response: ServerResponse) => void = () => undefined
  #server!: TestServer

  /** @param ttl how long listings are believed, ms: 0, since tests change servers behind the gateway's back */
  constructor(changes: Partial<DavDependencies> = {}, ttl = 0) {
    this.shared.tree.makeDirectory('/srv')
    this.archive.tree.makeDirectory('/old')
    const byPort = new Map([
      [1, this.shared],
      [2, this.archive],
    ])
    const destination = { write: (text: string) => void this.lines.push(JSON.parse(text) as LogLine) }
    const log = createLogger({ level: 'debug', destination })
    this.#connections = new Connections({ driverFor: () => createMemoryDriver((_host, port) => byPort.get(port)) })
    this.#trees = new Trees({
      connections: this.#connections,
      locks: this.lockStore,
      properties: this.properties,
      journal: new MemoryJournal(),
      log,
      limits: {
        cache: { ttl, maxEntries: 100_000, files: 1 << 20 },
        locks: { maxSeconds: 3600, maxPerUser: 100 },
        folders: { maxItems: 10_000, maxTime: 60_000 },
        sweepEvery: 60_000,
      },
      mountOf: () => Promise.resolve(undefined),
    })
    this.#access = new Map([
      [
        'user1',
        accessOf(1, 'user1', [
          mountOf(1, 'server2', 1, 'user1', 'a'),
          readOnly(mountOf(2, 'archive', 2, 'user1', 'a')),
        ]),
      ],
      ['user2', accessOf(2, 'user2', [mountOf(3, 'server2', 1, 'user2', 'b')])],
    ])
    this.dependencies = {
      authenticate: (header) => this.authenticate(header),
      treeFor: ({ username }) => this.treeOf(username),
      log,
      trustProxy: () => false,
      limits: { xmlBytes: 65_536, xmlDepth: 32, lockSeconds: 3600, clientIdle: 60_000 },
      secure: true,
      ...changes,
    }
  }

  async start(): Promise<this> {
    await this.#trees.start()
    this.library = createDavServer(this.dependencies)
    const handle = createDavHandler(this.dependencies)
    this.#server = await serve((request, response) => {
      this.onRequest(request, response)
      handle(request, response)
    })
    return this
  }

  async stop(): Promise<void> {
    this.#agent.destroy()
    await this.#server.stop()
    await this.#trees.stop()
    await this.#connections.close()
  }

  get port(): number {
    return this.#server.port
  }

  get url(): string {
    return this.#server.url
  }

  treeOf(username: string): Tree {
    const access = this.#access.get(username)
    if (!access) throw new Error(`no ${username}`)
    return this.#trees.treeOf(access)
  }

  userOf(username: string): DavUser {
    return new DavUser(this.treeOf(username))
  }

  authenticate(header: string | undefined): AuthResult {
    const [, encoded = ''] = /^basic +(\S+)$/i.exec(header ?? '') ?? []
    const [username = '', password] = Buffer.from(encoded, 'base64').toString().split(':', 2)
    const access = this.#access.get(username)
    if (!access || password !== username) return { ok: false, reason: 'rejected' }
    return { ok: true, user: loggedIn({ userId: access.userId, username }) }
  }

  /** One request over a kept connection, with the path exactly as given. */
  send(method: string, path: string, { headers = {}, body, user = 'user1' }: Sent = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const request = httpRequest(
        {
          host: '127.0.0.1',
          port: this.port,
          method,
          path,
          agent: this.#agent,
          headers: { authorization: basic(user), ...headers },
        },
        (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.on('error', reject)
          response.on('end', () => {
            const { statusCode = 0, headers } = response
            resolve({ status: statusCode, headers, body: Buffer.concat(chunks).toString() })
          })
        },
      )
      request.on('error', reject)
      request.end(body)
    })
  }

  /** Puts a file on the shared server behind the gateway's back. @param path below `/srv` */
  store(path: string, content: string | Buffer): void {
    this.shared.tree.open(`/srv${path}`, { exclusive: false, mode: undefined })
    this.shared.tree.append(`/srv${path}`, Buffer.from(content))
  }

  /** Makes a folder there likewise. */
  folder(path: string): void {
    this.shared.tree.makeDirectory(`/srv${path}`)
  }

  /** Content on the shared server; undefined when there is no such file. */
  content(path: string): string | undefined {
    if (!this.shared.tree.has(`/srv${path}`)) return undefined
    return this.shared.tree.content(`/srv${path}`).toString()
  }

  /** Names in a folder of the shared server. */
  names(path = ''): string[] {
    return this.shared.tree
      .list(`/srv${path}`)
      .entries.map((entry) => entry.name)
      .sort()
  }

  /** Ends every transfer that is under way, as the end of its permission does. */
  endTransfers(): void {
    this.#trees.active.end(() => false)
  }

  /** Takes back every fault that a test put into the shared server. */
  heal(): void {
    this.shared.before = this.shared.beforeChunk = this.shared.after = () => undefined
  }

  /** Locks a resource and gives the token. */
  async lock(path: string, sent: Sent & { scope?: 'exclusive' | 'shared' } = {}): Promise<string> {
    const answer = await this.send('LOCK', path, { ...sent, body: lockInfo(sent.scope) })
    const token = /^<(.+)>$/.exec(String(answer.headers['lock-token']))?.[1]
    if (token === undefined) throw new Error(`LOCK ${path}: ${answer.status} ${answer.body}`)
    return token
  }
}

export function basic(user: string, password = user): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
}

export function lockInfo(scope = 'exclusive', owner = '<D:owner>litmus</D:owner>'): string {
  return (
    `<?xml version="1.0" encoding="utf-8"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:${scope}/></D:lockscope>` +
    `<D:locktype><D:write/></D:locktype>${owner}</D:lockinfo>`
  )
}

export function propfind(...names: string[]): string {
  return `<?xml version="1.0"?><propfind xmlns="DAV:"><prop>${names.map((name) => `<${name}/>`).join('')}</prop></propfind>`
}

function accessOf(userId: number, username: string, mounts: Mount[]): UserAccess {
  return { userId, username, admin: false, authVersion: 1, mounts }
}

function mountOf(permissionId: number, alias: string, serverId: number, username: string, password: string): Mount {
  return {
    alias,
    permissionId,
    account: {
      key: `${serverId}:${username}`,
      server: {
        id: serverId,
        alias,
        endpoint: {
          protocol: serverId === 1 ? 'ftp' : 'sftp',
          host: 'memory',
          port: serverId,
          trust: { kind: 'none' },
        },
        limits: { maxConnections: 10, maxConnectionsPerAccount: 5 },
        version: '1',
      },
      login: { username, password },
    },
    access: 'read-write',
    root: undefined,
    homes: 'auto',
    upload: 'auto',
  }
}

function readOnly(mount: Mount): Mount {
  return { ...mount, access: 'read-only' }
}
