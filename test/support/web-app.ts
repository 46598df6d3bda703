import type { Express } from 'express'
import { Activity } from '../../src/activity/activity.js'
import { Auth } from '../../src/auth/auth.js'
import { DriveAttempts } from '../../src/auth/drive-attempts.js'
import { loadConfig } from '../../src/config/config.js'
import { messageOf } from '../../src/errors.js'
import { Jobs } from '../../src/jobs/jobs.js'
import { createLogger } from '../../src/logger.js'
import { AccessCache } from '../../src/permissions/access-cache.js'
import { createDrivers } from '../../src/storage/drivers.js'
import type { Tree } from '../../src/vfs/tree.js'
import { Sync, type SyncOptions } from '../../src/sync/sync.js'
import { UserTrees } from '../../src/user-trees.js'
import type { UserAccess } from '../../src/vfs/mount.js'
import { createWebApp } from '../../src/web/app.js'
import type { WebDependencies } from '../../src/web/dependencies.js'
import { FakeTree } from './fake-tree.js'
import { serve } from './http-server.js'
import { actor, openTestServices, type TestServices } from './services.js'

export interface TestWebApp extends TestServices {
  readonly app: Express
  /** `http://127.0.0.1:port` */
  readonly url: string
  readonly port: number
  readonly auth: Auth
  readonly driveAttempts: DriveAttempts
  readonly sync: Sync
  /** The tree of a user, in memory: what a fake tree does not do is not asked for by the pages that are tested with it. */
  treeOf(username: string): FakeTree
  /** Lines of the log, as JSON. */
  readonly log: readonly string[]
  /** Makes a user whose password is `PASSWORD`. @returns the id */
  addUser(
    username: string,
    fields?: { readonly role?: 'user' | 'admin'; readonly mustChangePassword?: boolean },
  ): Promise<number>
}

/** Of everybody whom `addUser` makes. */
export const PASSWORD = 'correct horse battery'

/**
 * The web app as it is, over real services on a new database and a real socket; bcrypt at its lowest cost. Trees are in
 * memory unless `overrides` say otherwise.
 */
export async function startWebApp(
  overrides: (services: TestServices) => Partial<WebDependencies> = () => ({}),
  options: { readonly sync?: Partial<SyncOptions> } = {},
): Promise<TestWebApp> {
  const services = await openTestServices()
  const { database, audit, cipher, users, hasher } = services
  const access = new AccessCache({ load: (userIds) => services.access.load(userIds) })
  const errors: unknown[] = []
  const use = { credentialsInUse: () => new Set<string>(), endCredentials: () => undefined }
  const onError = (error: unknown) => errors.push(error)
  const auth = new Auth({ database, audit, cipher, users, hasher, access, use, shares: services.shares, onError })
  const watch = await database.revision.watch({
    onChange: async () => {
      await Promise.all([auth.changed(), access.refresh()])
    },
  })
  await auth.start()

  const config = loadConfig({})
  const log: string[] = []
  const { authenticator, sessions, logins, secondFactor, appPasswords, apiTokens, jwts, setup } = auth
  const { servers, permissions, shares } = services
  const fakes = new Map<string, FakeTree>()
  const treeOf = (username: string): FakeTree & Tree => {
    const known = fakes.get(username) ?? new FakeTree(username)
    fakes.set(username, known)
    return known as FakeTree & Tree
  }
  const activity = new Activity()
  const trees = { treeOf: ({ username }: UserAccess) => treeOf(username) }
  const userTrees = new UserTrees({ access, trees, shares, activity, observers: [] })
  const jobs = new Jobs(messageOf)
  const driveAttempts = new DriveAttempts()
  const drivers = createDrivers({ deadlines: config.deadlines, allowNetworks: ['127.0.0.0/8'] })
  const sync = new Sync({ ...services, drivers, log: createLogger({ level: 'silent' }), ...options.sync })
  const app = createWebApp({
    ...{ authenticator, sessions, logins, secondFactor, appPasswords, apiTokens, jwts, setup },
    ...{ users, servers, permissions, shares, audit, jobs, driveAttempts, activity },
    authenticate: (request) => authenticator.header(request.headers.authorization, request.socket.remoteAddress ?? ''),
    treeFor: (user) => treeOf(user.username),
    sharedTreeFor: (user, id, client) => userTrees.shared(user, id, client),
    change: (work) => database.change(work),
    hashPassword: (password) => hasher.hash(password),
    keys: { session: Buffer.alloc(32, 1), csrf: Buffer.alloc(32, 2) },
    log: createLogger({ level: 'debug', destination: { write: (line: string) => void log.push(line) } }),
    config,
    usage: database.usage,
    health: { of: () => ({ state: 'unknown' }), history: () => Promise.resolve([]) },
    drivers,
    sync,
    ...overrides(services),
  })
  const server = await serve(app)

  return {
    ...services,
    app,
    url: server.url,
    port: server.port,
    auth,
    driveAttempts,
    sync,
    treeOf,
    log,
    addUser: async (username, fields = {}) =>
      (await users.create({ username, password: PASSWORD, ...fields }, actor)).id,
    close: async () => {
      await server.stop()
      await jobs.stop()
      await sync.synchroniser.stop()
      watch.stop()
      access.stop()
      await auth.stop()
      await services.close()
      if (errors.length > 0) throw new AggregateError(errors, 'errors in the background')
    },
  }
}
