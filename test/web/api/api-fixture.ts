import express, { type Request } from 'express'
import { Socket } from 'node:net'
import { Activity } from '../../../src/activity/activity.js'
import { Auth } from '../../../src/auth/auth.js'
import type { AuthenticatedUser, AuthResult } from '../../../src/auth/authenticate.js'
import type { Health, HealthSample } from '../../../src/health/health.js'
import { messageOf } from '../../../src/errors.js'
import { HttpError } from '../../../src/http/errors.js'
import { Jobs } from '../../../src/jobs/jobs.js'
import { createLogger } from '../../../src/logger.js'
import { AccessCache } from '../../../src/permissions/access-cache.js'
import type { Drivers } from '../../../src/storage/drivers.js'
import { StorageError } from '../../../src/storage/errors.js'
import { createMemoryDriver, MemoryServer } from '../../../src/storage/memory/memory-driver.js'
import { Sync } from '../../../src/sync/sync.js'
import type { Doors, SessionVisitor } from '../../../src/web/api/caller.js'
import { describeApi } from '../../../src/web/api/openapi.js'
import type { Operation } from '../../../src/web/api/operation.js'
import { OPERATIONS } from '../../../src/web/api/operations.js'
import { apiRouter } from '../../../src/web/api/router.js'
import type { ApiServices } from '../../../src/web/api/services.js'
import { errorPages, notFound } from '../../../src/web/error-pages.js'
import type { Client } from '../../../src/vfs/observer.js'
import type { Tree } from '../../../src/vfs/tree.js'
import { FakeTree } from '../../support/fake-tree.js'
import { serve, type TestServer } from '../../support/http-server.js'
import { MemoryServers } from '../../sync/memory-servers.js'
import { actor, FINGERPRINT, openTestServices, type TestServices } from '../../support/services.js'

/** Names and passwords as in the examples of the operations. */
export const ADMIN = { username: 'root', password: 'the password' }
export const USER = { username: 'anna', password: 'the password' }

export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** Undefined when the body is not JSON. */
  readonly json: unknown
}

export interface Sent {
  readonly as?: { readonly username: string; readonly password: string } | 'nobody'
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON unless it is a text. */
  readonly body?: unknown
  readonly type?: string
}

export interface FixtureOptions {
  readonly operations?: readonly Operation[]
  readonly requestsPerMinute?: number
}

/** The API on a real socket over real services on a database of its own; servers are in memory. */
export class ApiFixture {
  /** Who `Bearer <name>` is. */
  readonly tokens = new Map<string, AuthenticatedUser>()
  session: SessionVisitor | undefined
  /** Whether a server test gets beyond its first phase. */
  reachable = false
  readonly sessionLog: string[] = []
  readonly log: string[] = []
  readonly memory = new MemoryServer({
    accounts: { root: 'remote password', anna: 'remote password' },
    fingerprint: FINGERPRINT,
  })
  /** Servers whose accounts can be kept in step. */
  readonly managed = new MemoryServers()
  readonly activity = new Activity()
  readonly jobs = new Jobs(messageOf)
  /** By username. */
  readonly trees = new Map<string, FakeTree>()
  /** Told who asks for a tree. */
  onTree: ((user: AuthenticatedUser, client: Client) => void) | undefined
  readonly health = {
    of: (): Health => ({ state: 'slow', since: new Date(0), latencyMs: 4000 }),
    history: (): Promise<HealthSample[]> => Promise.resolve([{ at: new Date(0), state: 'up' }]),
  }
  sync!: Sync
  adminId = 0
  userId = 0
  serverId = 0
  permissionId = 0

  private constructor(
    readonly services: TestServices,
    readonly auth: Auth,
    private server: TestServer,
  ) {}

  static async start(options: FixtureOptions = {}): Promise<ApiFixture> {
    const services = await openTestServices()
    const access = new AccessCache({ load: (ids) => services.access.load(ids), onError: () => {} })
    const use = { credentialsInUse: () => new Set<string>(), endCredentials: () => {} }
    const auth = new Auth({ ...services, access, use, onError: () => {} })
    const revision = await services.database.revision.watch({
      onChange: async () => void (await Promise.all([auth.changed(), access.refresh()])),
      onError: () => {},
    })
    await auth.start()
    const app = express()
    const fixture = new ApiFixture(services, auth, await serve(app))
    const driver = createMemoryDriver((host) => (host === 'memory.test' ? fixture.memory : undefined))
    const drivers: Drivers = {
      dial: () =>
        fixture.reachable
          ? Promise.resolve(new Socket())
          : Promise.reject(new StorageError('UNREACHABLE', 'Nothing listens there.')),
      driverFor: () => driver,
    }
    const { open } = fixture.managed
    const sync = new Sync({ ...services, drivers, open, log: createLogger({ level: 'silent' }) })
    fixture.sync = sync
    const api: ApiServices = {
      ...services,
      auth,
      drivers,
      sync,
      activity: fixture.activity,
      jobs: fixture.jobs,
      treeFor: (user, client) => {
        fixture.onTree?.(user, client)
        return fixture.treeOf(user.username)
      },
      usage: services.database.usage,
      health: fixture.health,
      change: (work) => services.database.change(work),
      hashPassword: (password) => services.hasher.hash(password),
      description: () => describeApi(OPERATIONS),
    }
    const doors: Doors = {
      authenticator: {
        basic: (header, address) => auth.authenticator.basic(header, address),
        bearer: (header, address) => fixture.#bearer(header) ?? auth.authenticator.bearer(header, address),
      },
      sessions: {
        visitor: () => Promise.resolve(fixture.session),
        requireOwnPage: (request) =>
          request.get('X-CSRF-Token') === 'right'
            ? Promise.resolve()
            : Promise.reject(new HttpError(403, 'CSRF', 'Reload the page.')),
      },
    }
    const log = createLogger({ level: 'warn', destination: { write: (line: string) => void fixture.log.push(line) } })
    app.set('query parser', 'simple')
    app.use(
      apiRouter({
        operations: options.operations ?? OPERATIONS,
        services: api,
        doors,
        clientAddress: (request: Request) => request.socket.remoteAddress ?? '',
        log,
        bodyLimit: 100 * 1024,
        requestsPerMinute: options.requestsPerMinute ?? 1_000_000,
      }),
    )
    app.use((request, response, next) => {
      if (request.path === '/users' || request.path === '/servers') response.type('html').send('a page')
      else next()
    })
    app.use(notFound)
    app.use(errorPages(log))
    fixture.stop = async () => {
      await fixture.jobs.stop()
      await fixture.server.stop()
      await sync.synchroniser.stop()
      revision.stop()
      access.stop()
      await auth.stop()
      await services.close()
    }
    await fixture.#seed()
    return fixture
  }

  stop: () => Promise<void> = () => Promise.resolve()

  async #seed(): Promise<void> {
    const { users, servers, permissions } = this.services
    this.adminId = (await users.create({ ...ADMIN, role: 'admin' }, actor)).id
    this.userId = (await users.create(USER, actor)).id
    const server = { alias: 's2', protocol: 'sftp', host: 'memory.test', trust: { fingerprint: FINGERPRINT } } as const
    this.serverId = (await servers.create(server, actor)).id
    const granted = { userId: this.userId, serverId: this.serverId, credentials: { password: 'remote password' } }
    this.permissionId = (await permissions.grant(granted, actor)).id
  }

  /** What stands in the tree of a user: at first two files. */
  treeOf(username: string): FakeTree & Tree {
    const known =
      this.trees.get(username) ?? new FakeTree(username).add('/s2/a.txt', 'content').add('/s2/docs/b.txt', 'b')
    this.trees.set(username, known)
    return known as FakeTree & Tree
  }

  #bearer(header: string | undefined): AuthResult | undefined {
    const user = this.tokens.get(/^Bearer (\S+)$/i.exec(header ?? '')?.[1] ?? '')
    return user && { ok: true, user }
  }

  /** Somebody with a session; renewals and the end of it stand in `sessionLog`. */
  sessionOf(user: AuthenticatedUser, { mustChangePassword = false } = {}): void {
    this.sessionLog.length = 0
    const session = {
      id: 'session id',
      renew: (authVersion: number) => void this.sessionLog.push(`renew ${authVersion}`),
      end: () => Promise.resolve(void this.sessionLog.push('end')),
    }
    this.session = { user, session, mustChangePassword }
  }

  get url(): string {
    return this.server.url
  }

  get port(): number {
    return this.server.port
  }

  /** One request, as the admin unless said otherwise. */
  async send(method: string, path: string, { as = ADMIN, headers = {}, body, type }: Sent = {}): Promise<Reply> {
    const basic = as === 'nobody' ? undefined : Buffer.from(`${as.username}:${as.password}`).toString('base64')
    const response = await fetch(this.url + path, {
      method,
      headers: {
        Accept: 'application/json',
        ...(basic !== undefined && { Authorization: `Basic ${basic}` }),
        ...(body !== undefined && { 'Content-Type': type ?? 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      redirect: 'manual',
    })
    const text = await response.text()
    return { status: response.status, headers: response.headers, text, json: jsonOf(text) }
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
