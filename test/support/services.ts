import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Actor } from '../../src/audit/actor.js'
import { AuditLog } from '../../src/audit/audit-log.js'
import { ApiTokens } from '../../src/auth/api-tokens.js'
import { AppPasswords } from '../../src/auth/app-passwords.js'
import { Jwts } from '../../src/auth/jwt.js'
import { PasswordHasher } from '../../src/auth/password-hasher.js'
import { SecondFactor } from '../../src/auth/second-factor.js'
import { Throttle } from '../../src/auth/throttle.js'
import { openDatabase, type Database } from '../../src/db/database.js'
import { SecretCipher } from '../../src/db/secret-cipher.js'
import { PermissionService } from '../../src/permissions/permission-service.js'
import { AccessReader } from '../../src/permissions/user-access.js'
import { ServerService } from '../../src/servers/server-service.js'
import { ShareService } from '../../src/shares/share-service.js'
import { ChangeListener } from '../../src/sync/change-listener.js'
import { ProvisionerService } from '../../src/sync/provisioner-service.js'
import { SyncQueue } from '../../src/sync/sync-queue.js'
import { UserService } from '../../src/users/user-service.js'

export const actor: Actor = { kind: 'cli', systemUser: 'tester' }
export const FINGERPRINT = `SHA256:${'A'.repeat(43)}`
export const OTHER_FINGERPRINT = `SHA256:${'B'.repeat(42)}E`

export interface TestServices {
  readonly folder: string
  readonly database: Database
  readonly cipher: SecretCipher
  readonly hasher: PasswordHasher
  readonly audit: AuditLog
  readonly queue: SyncQueue
  readonly provisioners: ProvisionerService
  readonly users: UserService
  readonly servers: ServerService
  readonly permissions: PermissionService
  readonly shares: ShareService
  readonly appPasswords: AppPasswords
  readonly apiTokens: ApiTokens
  readonly jwts: Jwts
  readonly secondFactor: SecondFactor
  readonly access: AccessReader
  /** Secrets that could not be read. */
  readonly unreadable: unknown[]
  close(): Promise<void>
}

/** A folder of its own, removed by `remove`. */
export async function temporaryFolder(): Promise<{ folder: string; remove: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'ftpcluster-test-'))
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) }
}

/** The services on a new database; bcrypt at its lowest cost. */
export async function openTestServices(): Promise<TestServices> {
  const { folder, remove } = await temporaryFolder()
  const database = await openDatabase({ dataDir: folder })
  const cipher = new SecretCipher([Buffer.alloc(32, 7)])
  const hasher = new PasswordHasher(4)
  const audit = new AuditLog(database)
  const unreadable: unknown[] = []
  const queue = new SyncQueue(database)
  const listener = new ChangeListener(database, audit, queue)
  return {
    folder,
    database,
    cipher,
    hasher,
    audit,
    queue,
    provisioners: new ProvisionerService(database, audit, cipher),
    users: new UserService(database, audit, hasher, listener),
    servers: new ServerService(database, audit, cipher),
    shares: new ShareService(database, audit),
    permissions: new PermissionService(database, audit, cipher, listener),
    appPasswords: new AppPasswords(database, audit),
    apiTokens: new ApiTokens(database, audit),
    jwts: new Jwts(database, audit, cipher),
    secondFactor: new SecondFactor(database, audit, cipher, new Throttle({ wait: () => Promise.resolve() })),
    access: new AccessReader(database, cipher, { maxConnections: 64, maxConnectionsPerAccount: 4 }, (error) =>
      unreadable.push(error),
    ),
    unreadable,
    close: async () => {
      await database.close()
      await remove()
    },
  }
}

/** What a service said to the audit log, the newest first: `type object`. */
export async function audited({ audit }: TestServices, limit = 100): Promise<string[]> {
  return (await audit.list(limit)).map(({ type, objectName }) => `${type} ${objectName}`)
}

/** What `work` rejects with. */
export async function rejectionOf(work: Promise<unknown>): Promise<Error> {
  try {
    await work
  } catch (error) {
    if (error instanceof Error) return error
    throw error
  }
  throw new Error('It was expected to reject, and it resolved.')
}
