import pino from 'pino'
import type { Account } from '../../src/storage/account.js'
import { Connections } from '../../src/storage/connections.js'
import { createMemoryDriver, MemoryServer, type MemoryServerOptions } from '../../src/storage/memory/memory-driver.js'
import type { Mount, UserAccess } from '../../src/vfs/mount.js'
import type { LockStore, PropertyStore, UploadJournal } from '../../src/vfs/ports.js'
import type { Tree } from '../../src/vfs/tree.js'
import { Trees } from '../../src/vfs/trees.js'
import type { Database } from '../../src/db/database.js'
import { openDatabase } from '../../src/db/database.js'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MemoryJournal, MemoryLockStore } from './memory-stores.js'

/** A permission in words: `server` is the alias and the key in `servers`. */
export interface Grant extends Partial<Pick<Mount, 'access' | 'root' | 'homes' | 'upload'>> {
  readonly server: string
  readonly login?: string
}

/** Trees over servers in memory, with the real pool and a real database for dead properties. */
export class TreeFixture {
  readonly servers = new Map<string, MemoryServer>()
  readonly locks: LockStore = new MemoryLockStore()
  readonly journal: MemoryJournal & UploadJournal = new MemoryJournal()
  readonly #mounts = new Map<number, Mount>()
  readonly #users: string[] = []
  #database!: Database
  #folder!: string
  connections!: Connections
  trees!: Trees
  now = 1_700_000_000_000

  static async start(servers: Record<string, Partial<MemoryServerOptions>>): Promise<TreeFixture> {
    const fixture = new TreeFixture()
    fixture.#folder = await mkdtemp(join(tmpdir(), 'ftpcluster-vfs-'))
    fixture.#database = await openDatabase({ dataDir: fixture.#folder })
    for (const [alias, options] of Object.entries(servers)) {
      const accounts = { alice: 'a', bob: 'b', carol: 'c', ...options.accounts }
      fixture.servers.set(alias, new MemoryServer({ now: () => fixture.now, ...options, accounts }))
    }
    await fixture.restart()
    return fixture
  }

  /** A new process over the same servers and the same stores. */
  async restart(): Promise<void> {
    await this.trees?.stop()
    await this.connections?.close()
    const aliases = [...this.servers.keys()]
    const driver = createMemoryDriver((_, port) => this.servers.get(aliases[port] ?? ''))
    this.connections = new Connections({ driverFor: () => driver })
    this.trees = new Trees({
      connections: this.connections,
      locks: this.locks,
      properties: this.properties,
      journal: this.journal,
      log: pino({ level: 'silent' }),
      limits: {
        cache: { ttl: 60_000, maxEntries: 10_000, files: 1 << 20 },
        locks: { maxSeconds: 600, maxPerUser: 100 },
        folders: { maxItems: 50, maxTime: 60_000 },
        sweepEvery: 3_600_000,
      },
      mountOf: (id) => Promise.resolve(this.#mounts.get(id)),
      now: () => this.now,
    })
    await this.trees.start()
  }

  get properties(): PropertyStore {
    return this.#database.properties
  }

  server(alias: string): MemoryServer {
    const server = this.servers.get(alias)
    if (server === undefined) throw new Error(`no server ${alias}`)
    return server
  }

  access(username: string, ...grants: Grant[]): UserAccess {
    if (!this.#users.includes(username)) this.#users.push(username)
    const userId = this.#users.indexOf(username) + 1
    const mounts = grants.map((grant) => this.#mount(userId, username, grant))
    return { userId, username, admin: false, authVersion: 1, mounts }
  }

  tree(username: string, ...grants: Grant[]): Tree {
    return this.trees.treeOf(this.access(username, ...grants))
  }

  #mount(userId: number, username: string, { server, login = username, ...rest }: Grant): Mount {
    const id = [...this.servers.keys()].indexOf(server)
    const account: Account = {
      key: `${id}:${login}:1`,
      login: { username: login, password: this.server(server).options.accounts[login] },
      server: {
        id,
        alias: server,
        endpoint: { protocol: 'ftp', host: 'memory', port: id, trust: { kind: 'none' } },
        limits: { maxConnections: 16, maxConnectionsPerAccount: 4 },
        version: '1',
      },
    }
    const permissionId = userId * 100 + id
    const mount: Mount = {
      alias: server,
      permissionId,
      account,
      access: 'read-write',
      root: undefined,
      homes: 'shared',
      upload: 'auto',
      ...rest,
    }
    this.#mounts.set(permissionId, mount)
    return mount
  }

  async stop(): Promise<void> {
    await this.trees.stop()
    await this.connections.close()
    await this.#database.close()
    await rm(this.#folder, { recursive: true })
  }
}

export const CALL = { signal: new AbortController().signal }
export const NO_LOCKS = { lockTokens: new Set<string>() }

export async function* bytes(...chunks: (string | Buffer)[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) {
    await Promise.resolve()
    yield Buffer.from(chunk)
  }
}

export function put(tree: Tree, path: string, content: string, more: object = {}) {
  return tree.write(path, bytes(content), { ...NO_LOCKS, size: Buffer.byteLength(content), ...more }, CALL)
}

export async function get(tree: Tree, path: string, range?: { start: number; end?: number }): Promise<string> {
  const parts: Buffer[] = []
  await tree.read(await tree.stat(path, CALL), range, (chunk) => void parts.push(Buffer.from(chunk)), CALL)
  return Buffer.concat(parts).toString()
}

export async function names(tree: Tree, path: string): Promise<string[]> {
  return (await tree.list(path, CALL)).members.map((node) => node.name).sort()
}

/** The code of what `work` throws; 'no error' when it does not. */
export async function codeOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work
    return 'no error'
  } catch (error) {
    return (error as { code?: unknown }).code ?? error
  }
}
