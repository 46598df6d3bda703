import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import type { Actor } from '../audit/actor.js'
import { AuditLog } from '../audit/audit-log.js'
import { AuditSeal } from '../audit/audit-seal.js'
import { AppPasswords } from '../auth/app-passwords.js'
import { PasswordHasher } from '../auth/password-hasher.js'
import { SecondFactor } from '../auth/second-factor.js'
import { Throttle } from '../auth/throttle.js'
import type { Config } from '../config/config.js'
import { openDatabase, type Database } from '../db/database.js'
import { openSecrets } from '../db/master-key.js'
import type { SecretCipher } from '../db/secret-cipher.js'
import { PermissionService } from '../permissions/permission-service.js'
import { ServerService } from '../servers/server-service.js'
import { ChangeListener } from '../sync/change-listener.js'
import { ProvisionerService } from '../sync/provisioner-service.js'
import { SyncQueue } from '../sync/sync-queue.js'
import { UserService } from '../users/user-service.js'

/** What the commands work with: the same services as the gateway's, on the same database. */
export interface Services {
  readonly database: Database
  readonly audit: AuditLog
  readonly hasher: PasswordHasher
  readonly cipher: SecretCipher
  readonly queue: SyncQueue
  readonly provisioners: ProvisionerService
  readonly users: UserService
  readonly servers: ServerService
  readonly permissions: PermissionService
  readonly appPasswords: AppPasswords
  readonly secondFactor: SecondFactor
}

/**
 * Opens the configured database for one command and closes it afterwards.
 * @param notify told where a new master key was stored
 */
export async function withServices<T>(
  config: Pick<Config, 'dataDir' | 'databaseUrl' | 'masterKey' | 'masterKeyFile'>,
  notify: (message: string) => void,
  work: (services: Services) => Promise<T>,
): Promise<T> {
  const database = await openDatabase({ dataDir: config.dataDir, url: config.databaseUrl })
  try {
    const cipher = await openSecrets(database, config, notify)
    const audit = new AuditLog(database, new AuditSeal(cipher))
    const hasher = new PasswordHasher()
    const queue = new SyncQueue(database)
    const changes = new ChangeListener(database, audit, queue)
    return await work({
      database,
      audit,
      hasher,
      cipher,
      queue,
      provisioners: new ProvisionerService(database, audit, cipher),
      users: new UserService(database, audit, hasher, changes),
      servers: new ServerService(database, audit, cipher),
      permissions: new PermissionService(database, audit, cipher, changes),
      appPasswords: new AppPasswords(database, audit),
      secondFactor: new SecondFactor(database, audit, cipher, new Throttle()),
    })
  } finally {
    await database.close()
  }
}

/** As `withServices`, on an empty database that is gone afterwards: what would happen before the first start. */
export async function withScratchServices<T>(work: (services: Services) => Promise<T>): Promise<T> {
  const dataDir = await mkdtemp(join(tmpdir(), 'ftpcluster-'))
  try {
    const scratch = {
      dataDir,
      databaseUrl: undefined,
      masterKey: undefined,
      masterKeyFile: join(dataDir, 'master.key'),
    }
    return await withServices(scratch, () => {}, work)
  } finally {
    await rm(dataDir, { recursive: true, force: true })
  }
}

/** Whoever has the shell. */
export function cliActor(): Actor {
  return { kind: 'cli', systemUser: userInfo().username }
}
