import { AuditLog } from './audit/audit-log.js'
import { Auth } from './auth/auth.js'
import type { AuthenticatedUser } from './auth/authenticate.js'
import { PasswordHasher } from './auth/password-hasher.js'
import { credentialName } from './auth/revoked-credentials.js'
import type { Config } from './config/config.js'
import { addressMatcher } from './config/options.js'
import { createDavHandler } from './dav/dav-server.js'
import { openDatabase, type Database } from './db/database.js'
import { openSecrets } from './db/master-key.js'
import type { Watch } from './db/revision.js'
import { createGateway, type Gateway } from './gateway.js'
import { clientAddress } from './http/client-address.js'
import { HttpError } from './http/errors.js'
import type { Logger } from './logger.js'
import { AccessCache } from './permissions/access-cache.js'
import { PermissionService } from './permissions/permission-service.js'
import { RestrictedAccess } from './permissions/restricted-access.js'
import { AccessReader } from './permissions/user-access.js'
import { ServerService } from './servers/server-service.js'
import { Connections } from './storage/connections.js'
import { createDrivers } from './storage/drivers.js'
import { ensureAdmin } from './users/first-admin.js'
import { UserService } from './users/user-service.js'
import type { UserAccess } from './vfs/mount.js'
import type { Tree } from './vfs/tree.js'
import { Trees } from './vfs/trees.js'
import { createWebApp } from './web/app.js'

/** The running product: everything built once, started and stopped in order. */
export interface Context {
  readonly gateway: Gateway
  readonly database: Database
  readonly connections: Connections
  readonly trees: Trees
  readonly users: UserService
  readonly servers: ServerService
  readonly permissions: PermissionService
  readonly auth: Auth
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
  const audit = new AuditLog(database)
  const hasher = new PasswordHasher()
  const users = new UserService(database, audit, hasher)
  const servers = new ServerService(database, audit, cipher)
  const permissions = new PermissionService(database, audit, cipher)
  await ensureAdmin(users, config.adminPassword, (message) => log.warn(message))

  const connections = createConnections(config, log)
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
  })
  const auth = new Auth({
    database,
    audit,
    cipher,
    users,
    hasher,
    access,
    use: trees,
    onError: (error) => log.error({ err: error }, 'the database failed behind a login; it is tried again'),
  })
  const revision = await database.revision.watch({
    onChange: async () => {
      await Promise.all([auth.changed(), access.refresh()])
    },
    onError: (error) => log.error({ err: error }, 'changes by other processes cannot be seen'),
  })
  const restricted = new RestrictedAccess()
  const treeFor = async (user: AuthenticatedUser): Promise<Tree> => {
    const { userId, authVersion, scopes, servers } = user
    const permitted = access.peek(userId) ?? (await access.get(userId))
    if (permitted?.authVersion !== authVersion) throw new HttpError(401, 'LOGIN_CHANGED', 'Log in again.')
    if (!scopes.has('files:read')) throw new HttpError(403, 'SCOPE', 'This token is not for files.')
    const credential = credentialName(user)
    if (credential === undefined) return trees.treeOf(permitted)
    const readOnly = !scopes.has('files:write')
    return trees.treeOf(restricted.of(permitted, { servers, readOnly, credential }))
  }

  const gateway = createGateway({ config, log, ...edges(config, log, auth, treeFor) })
  await auth.start()
  await trees.start()
  const stop = once(() => shutDown({ gateway, trees, access, revision, auth, connections, database }))
  return { gateway, database, connections, trees, users, servers, permissions, auth, stop }
}

function createConnections({ pool, breaker, deadlines, ...config }: Config, log: Logger): Connections {
  const drivers = createDrivers({ ...config, deadlines })
  return new Connections({
    driverFor: (protocol) => drivers.driverFor(protocol),
    log,
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

/** The two doors: the drive and the web. */
function edges(
  config: Config,
  log: Logger,
  { authenticator }: Auth,
  treeFor: (user: AuthenticatedUser) => Promise<Tree>,
): Pick<Parameters<typeof createGateway>[0], 'dav' | 'web'> {
  const isProxy = addressMatcher(config.trustProxy)
  const { xmlBody, xmlDepth } = config.limits
  const dav = createDavHandler({
    authenticate: (header, address) => authenticator.header(header, address),
    treeFor,
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
  const web = createWebApp({
    authenticate: (request) => authenticator.header(request.headers.authorization, clientAddress(request, isProxy)),
    treeFor,
    log,
    config,
  })
  return { dav, web }
}

/** Connections of logins that a user lost are closed; those in use, when they come back: `Trees.revoke` ends the transfers. */
function retireAccounts(connections: Connections, before: UserAccess, after: UserAccess | undefined): void {
  const kept = new Set(after?.mounts.map((mount) => mount.account.key))
  for (const { account } of before.mounts) {
    if (!kept.has(account.key)) connections.retire({ accountKey: account.key })
  }
}

interface Parts {
  readonly gateway: Gateway
  readonly trees: Trees
  readonly access: AccessCache
  readonly revision: Watch
  readonly auth: Auth
  readonly connections: Connections
  readonly database: Database
}

async function shutDown({ gateway, trees, access, revision, auth, connections, database }: Parts): Promise<void> {
  await gateway.stop()
  revision.stop()
  access.stop()
  await trees.stop()
  await auth.stop()
  await connections.close()
  await database.close()
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined
  return () => (result ??= work())
}
