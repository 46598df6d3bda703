import type { Connection, Driver, Endpoint, Login, OperationOptions } from '../driver.js'
import { StorageError } from '../errors.js'
import { MemoryConnection, unlessAborted } from './memory-connection.js'
import { MemoryTree } from './memory-tree.js'

/** One call as the server saw it. */
export interface MemoryCall {
  readonly operation: 'connect' | Exclude<keyof Connection, 'home' | 'traits' | 'open' | 'close'>
  /** What it is about; for rename and copyFile where from; '' for connect. */
  readonly path: string
  readonly username: string
}

export interface MemoryServerOptions {
  /** Passwords by user name. */
  readonly accounts: Readonly<Record<string, string>>
  /** Where each login lands; `/` where not named. */
  readonly homes?: Readonly<Record<string, string>>
  /** Whether `rename` replaces an existing file; true when left out. */
  readonly renameReplaces?: boolean
  /** Bytes that the server can hold. */
  readonly capacity?: number
  readonly fingerprint?: string
  /** Whether connections have `openFile`. */
  readonly opensFiles?: boolean
  readonly now?: () => number
}

/** A server in memory: one tree that all its logins see, a log of calls, and hooks through which tests make it fail. */
export class MemoryServer {
  readonly tree: MemoryTree
  /** Every call in order; `calls.length = 0` starts anew. */
  readonly calls: MemoryCall[] = []
  /** Paths of opened files that were closed. */
  readonly closed: string[] = []
  readonly connections = new Set<MemoryConnection>()
  /** Runs before each call and may throw or wait; `connect` is a call too. */
  before: (call: MemoryCall) => void | Promise<void> = () => {}
  /** Runs before each chunk of a transfer; `offset` are the bytes before it. */
  beforeChunk: (call: MemoryCall, offset: number) => void | Promise<void> = () => {}
  /** Runs after a change was made and before its caller hears of it. */
  after: (call: MemoryCall) => void | Promise<void> = () => {}

  constructor(readonly options: MemoryServerOptions) {
    this.tree = new MemoryTree(options.now ?? Date.now)
  }

  count(operation: MemoryCall['operation']): number {
    return this.calls.filter((call) => call.operation === operation).length
  }

  /** Drops every connection, as a restart does. */
  dropAll(): void {
    for (const connection of [...this.connections]) connection.close()
  }
}

/** Speaks to servers in this process, by host and port. */
export function createMemoryDriver(servers: (host: string, port: number) => MemoryServer | undefined): Driver {
  const find = ({ host, port }: { host: string; port: number }): MemoryServer => {
    const server = servers(host, port)
    if (server === undefined) throw new StorageError('UNREACHABLE', 'Nothing listens there.')
    return server
  }
  return {
    async connect(endpoint: Endpoint, login: Login, { signal }: OperationOptions = {}): Promise<Connection> {
      if (signal?.aborted) throw new StorageError('ABORTED', 'Connecting was stopped.')
      const server = find(endpoint)
      const call: MemoryCall = { operation: 'connect', path: '', username: login.username }
      server.calls.push(call)
      await unlessAborted(server.before(call), signal)
      const { fingerprint = '', accounts } = server.options
      if (endpoint.trust.kind === 'pinned' && !endpoint.trust.fingerprints.includes(fingerprint)) {
        throw new StorageError('UNTRUSTED', 'The server does not show the fingerprint that is trusted.')
      }
      const password = accounts[login.username]
      if (password === undefined || password !== login.password) {
        throw new StorageError('LOGIN_REJECTED', 'The server refused the login.')
      }
      return new MemoryConnection(server, login.username)
    },
    async fingerprint(endpoint) {
      return Promise.resolve(find(endpoint).options.fingerprint)
    },
  }
}
