import type { Activity } from './activity/activity.js'
import type { PermissionUsage } from './activity/permission-usage.js'
import { AuditLog } from './audit/audit-log.js'
import { AuditSeal } from './audit/audit-seal.js'
import { Auth } from './auth/auth.js'
import { DriveAttempts } from './auth/drive-attempts.js'
import { PasswordHasher } from './auth/password-hasher.js'
import type { Config } from './config/config.js'
import { addressMatcher } from './config/options.js'
import { createDavHandler } from './dav/dav-server.js'
import { openDatabase, type Database } from './db/database.js'
import { openSecrets } from './db/master-key.js'
import type { Watch } from './db/revision.js'
import { createGateway, type Gateway, type RequestHandler } from './gateway.js'
import { clientAddress } from './http/client-address.js'
import { LoadedSoon } from './http/loaded-soon.js'
import { Readiness } from './health/readiness.js'
import type { ServerHealth } from './health/server-health.js'
import { answerFor } from './http/status.js'
import { Jobs } from './jobs/jobs.js'
import type { Logger } from './logger.js'
import { Observation } from './observation.js'
import { AccessCache } from './permissions/access-cache.js'
import { PermissionService } from './permissions/permission-service.js'
import { AccessReader } from './permissions/user-access.js'
import { ServerService } from './servers/server-service.js'
import { openedBy } from './shares/shared-access.js'
import { ShareService } from './shares/share-service.js'
import type { ConnectionListener } from './storage/connection-events.js'
import { Connections } from './storage/connections.js'
import { createDrivers, type Drivers } from './storage/drivers.js'
import { ChangeListener } from './sync/change-listener.js'
import { Sync } from './sync/sync.js'
import { SyncQueue } from './sync/sync-queue.js'
import { ensureAdmin } from './users/first-admin.js'
import { UserTrees } from './user-trees.js'
import { UserService } from './users/user-service.js'
import type { Mount, UserAccess } from './vfs/mount.js'
import { Trees } from './vfs/trees.js'
import type { ApiDependencies } from './web/api/services.js'
import type { AuthParts, WebDependencies } from './web/dependencies.js'

/** The running product: everything built once, started and stopped in order. */
export interface Context {
  readonly gateway: Gateway
  readonly database: Database
  readonly connections: Connections
  readonly trees: Trees
  readonly users: UserService
  readonly servers: ServerService
  readonly permissions: PermissionService
  readonly sync: Sync
  readonly shares: ShareService
  readonly auth: Auth
  readonly audit: AuditLog
  readonly activity: Activity
  readonly usage: PermissionUsage
  readonly health: ServerHealth
  /** Lets requests end, then cleans up, closes connections and the database. Safe to call again. */
  stop(): Promise<void>
}

/**
 * Builds the gateway from its configuration; it serves after `gateway.start()`. Connects to no server.
 * @throws ValidationError, DatabaseError with what the admin must mend
 */
export async function createContext(config: Config, log: Logger): Promise<Context> {
  const database = await openDatabase({ dataDir: config.dataDir, url: config.databaseUrl })
  try {
    return await build(config, log, database)
  } catch (error) {
    await database.close()
    throw error
  }
}

async function build(config: Config, log: Logger, database: Database): Promise<Context> {
  const cipher = await openSecrets(database, config, (message) => log.warn(message))
  const seal = new AuditSeal(cipher)
  const audit = new AuditLog(database, seal)
  const hasher = new PasswordHasher()
  const queue = new SyncQueue(database)
  const changes = new ChangeListener(database, audit, queue)
  const users = new UserService(database, audit, hasher, changes)
  const servers = new ServerService(database, audit, cipher)
  const permissions = new PermissionService(database, audit, cipher, changes)
  const shares = new ShareService(database, audit)
  await ensureAdmin(users, config.adminPassword, (message) => log.warn(message))

  const drivers = createDrivers(config)
  const observation = new Observation({
    ...{ config, log, database, seal, dial: drivers.dial },
    sources: {
      pools: () => connections.stats(),
      cache: () => trees.cacheStats,
      sync: () => sync.state.backlog(),
    },
  })
  const { activity, usage, health, observers } = observation
  const sync = new Sync({
    ...{ database, audit, cipher, servers, permissions, queue, drivers, log },
    ...config.sync,
    onStep: (step) => observation.metrics?.onStep(step),
  })
  const connections = createConnections(config, log, drivers, observation.onConnection, sync)
  const perServer = { maxConnections: config.pool.perServer, maxConnectionsPerAccount: config.pool.perAccount }
  const reader = new AccessReader(database, cipher, perServer, (error) =>
    log.error({ err: error }, 'a stored secret cannot be read'),
  )
  const access = new AccessCache({
    load: (userIds) => reader.load(userIds),
    onError: (error) => log.error({ err: error }, 'what users may reach cannot be read; it is tried again'),
  })
  const trees = new Trees({
    connections,
    locks: database.locks,
    properties: database.properties,
    journal: database.uploads,
    log,
    mountOf: (id) => reader.mountOf(id),
    limits: {
      cache: config.cache,
      locks: { maxSeconds: config.locks.maxTimeout / 1000, maxPerUser: config.locks.maxPerUser },
      folders: { maxItems: config.limits.folderItems, maxTime: config.limits.folderTime },
      sweepEvery: config.uploads.sweepEvery,
    },
  })
  access.onChange(({ before, after }) => {
    trees.revoke(before, after)
    retireAccounts(connections, before, after)
    // What others share with a user ends with the login too, though it runs through the permissions of the others.
    if (before.authVersion !== after?.authVersion)
      trees.endCredentials(openedBy(before.userId, trees.credentialsInUse()))
  })
  const auth = new Auth({
    database,
    audit,
    cipher,
    users,
    hasher,
    access,
    use: trees,
    shares,
    onError: (error) => log.error({ err: error }, 'the database failed behind a login; it is tried again'),
  })
  const revision = await database.revision.watch({
    onChange: async () => {
      void health.refresh()
      sync.synchroniser.kick()
      await Promise.all([auth.changed(), access.refresh(), trees.releaseLocksOfFormerUsers()])
    },
    onError: (error) => log.error({ err: error }, 'changes by other processes cannot be seen'),
  })
  const userTrees = new UserTrees({ access, trees, shares, activity, observers })
  const treeFor: WebDependencies['treeFor'] = (user, client) => userTrees.own(user, client)
  const sharedTreeFor: WebDependencies['sharedTreeFor'] = (user, id, client) => userTrees.shared(user, id, client)

  const keys = { session: cipher.deriveKey('web sessions'), csrf: cipher.deriveKey('web forms') }
  const driveAttempts = new DriveAttempts()
  const jobs = new Jobs((error) => answerFor(error).message)
  const observed = { audit, activity, usage, health }
  const forApi: ApiDependencies = {
    change: (work) => database.change(work),
    hashPassword: (password) => hasher.hash(password),
  }
  const services = {
    users,
    servers,
    permissions,
    shares,
    sync,
    sharedTreeFor,
    drivers,
    jobs,
    driveAttempts,
    keys,
    ...observed,
    ...forApi,
  }
  const readiness = new Readiness(() => database.write())
  const { dav, web } = edges(config, log, auth, services, treeFor, observation, readiness)
  const gateway = createGateway({
    ...{ config, log, dav, web: web.handler },
    onRequest: (request) => observation.metrics?.onRequest(request),
  })
  await auth.start()
  await trees.start()
  await observation.start()
  sync.synchroniser.start()
  web.begin((error) => log.fatal({ err: error }, 'pages and API cannot be loaded'))
  const parts = {
    web,
    gateway,
    sync,
    jobs,
    trees,
    access,
    revision,
    auth,
    connections,
    database,
    observation,
    readiness,
  }
  const stop = once(() => shutDown(parts))
  return { gateway, database, connections, trees, users, servers, permissions, shares, sync, auth, ...observed, stop }
}

function createConnections(
  { pool, breaker, deadlines }: Config,
  log: Logger,
  drivers: Drivers,
  onEvent: ConnectionListener,
  sync: Sync,
): Connections {
  return new Connections({
    driverFor: (protocol) => drivers.driverFor(protocol),
    log,
    onEvent,
    newerLogin: (account) => sync.newerLogins.of(account),
    limits: {
      wait: deadlines.wait,
      queue: pool.queue,
      idle: pool.idle,
      lifetime: pool.lifetime,
      checkAfter: pool.checkAfter,
      breakerFailures: breaker.failures,
      breakerPause: breaker.pause,
      breakerMaxPause: breaker.maxPause,
    },
  })
}

type PageService =
  | 'users'
  | 'servers'
  | 'permissions'
  | 'shares'
  | 'sync'
  | 'sharedTreeFor'
  | keyof ApiDependencies
  | 'drivers'
  | 'jobs'
  | 'driveAttempts'
  | 'audit'
  | 'activity'
  | 'usage'
  | 'health'
  | 'keys'

/** The two doors: the drive and the web. */
function edges(
  config: Config,
  log: Logger,
  auth: Auth,
  services: Pick<WebDependencies, PageService>,
  treeFor: WebDependencies['treeFor'],
  { metrics }: Observation,
  readiness: Readiness,
): { readonly dav: RequestHandler; readonly web: LoadedSoon } {
  const { authenticator } = auth
  const isProxy = addressMatcher(config.trustProxy)
  const { xmlBody, xmlDepth } = config.limits
  const dav = createDavHandler({
    authenticate: (header, address) => authenticator.header(header, address),
    treeFor,
    attempts: services.driveAttempts,
    log,
    publicUrl: config.publicUrl,
    trustProxy: isProxy,
    limits: {
      xmlBytes: xmlBody,
      xmlDepth,
      lockSeconds: config.locks.maxTimeout / 1000,
      clientIdle: config.deadlines.clientIdle,
    },
    secure: config.tls.mode !== 'off' || (config.publicUrl?.startsWith('https:') ?? false),
  })
  const web = new LoadedSoon(async () =>
    (await import('./web/app.js')).createWebApp({
      authenticate: (request) => authenticator.header(request.headers.authorization, clientAddress(request, isProxy)),
      treeFor,
      ...partsForPages(auth),
      ...services,
      unready: () => readiness.unready(),
      metrics,
      log,
      config,
    }),
  )
  return { dav, web }
}

function partsForPages(auth: Auth): AuthParts {
  const { authenticator, sessions, logins, secondFactor, appPasswords, apiTokens, jwts, setup } = auth
  return { authenticator, sessions, logins, secondFactor, appPasswords, apiTokens, jwts, setup }
}

/**
 * Connections of logins that a user lost are closed; those in use, when they come back: `Trees.revoke` ends the transfers.
 * Where only the secret changed, nobody who waits notices.
 */
function retireAccounts(connections: Connections, before: UserAccess, after: UserAccess | undefined): void {
  const kept = new Set(after?.mounts.map((mount) => mount.account.key))
  const logins = new Set(after?.mounts.map(loginOf))
  for (const mount of before.mounts) {
    const accountKey = mount.account.key
    if (!kept.has(accountKey)) connections.retire({ accountKey, secret: logins.has(loginOf(mount)) })
  }
}

function loginOf({ permissionId, account: { server, login } }: Mount): string {
  return JSON.stringify([permissionId, server.id, server.version, login.username])
}

interface Parts {
  readonly web: LoadedSoon
  readonly gateway: Gateway
  readonly sync: Sync
  readonly jobs: Jobs
  readonly trees: Trees
  readonly access: AccessCache
  readonly revision: Watch
  readonly auth: Auth
  readonly connections: Connections
  readonly database: Database
  readonly observation: Observation
  readonly readiness: Readiness
}

async function shutDown(parts: Parts): Promise<void> {
  const { web, gateway, sync, jobs, trees, access, revision, auth, connections, database, observation, readiness } =
    parts
  web.stop()
  readiness.stopping()
  await gateway.stop()
  await jobs.stop()
  await sync.synchroniser.stop()
  await observation.stopWatching()
  revision.stop()
  access.stop()
  await trees.stop()
  await auth.stop()
  await connections.close()
  await observation.stop()
  await database.close()
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined
  return () => (result ??= work())
}
