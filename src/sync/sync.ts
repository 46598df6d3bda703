import type { AuditLog } from '../audit/audit-log.js'
import type { Database } from '../db/database.js'
import type { SecretCipher } from '../db/secret-cipher.js'
import type { Logger } from '../logger.js'
import type { PermissionService } from '../permissions/permission-service.js'
import type { ServerService } from '../servers/server-service.js'
import type { Drivers } from '../storage/drivers.js'
import { AccountDecisions } from './account-decisions.js'
import type { StepListener } from './account-steps.js'
import { PendingSecrets } from './account-secrets.js'
import { ManagedAccounts } from './managed-accounts.js'
import { NewerLogins } from './newer-logins.js'
import { openProvisioner } from './open-provisioner.js'
import { ProvisionerService } from './provisioner-service.js'
import { SyncState } from './sync-state.js'
import { Synchroniser } from './synchroniser.js'
import type { SyncQueue } from './sync-queue.js'

export interface SyncOptions {
  readonly database: Database
  readonly audit: AuditLog
  readonly cipher: SecretCipher
  readonly servers: ServerService
  readonly permissions: PermissionService
  readonly queue: SyncQueue
  readonly drivers: Drivers
  readonly log: Logger
  /** As in `SynchroniserOptions`. */
  readonly maxRemovals?: number
  readonly pause?: number
  readonly maxPause?: number
  readonly oldSecretGrace?: number
  readonly commandsFolder?: string | undefined
  readonly onStep?: StepListener | undefined
  readonly open?: typeof openProvisioner
}

/** Accounts in step, put together: what pages, commands and the API work with. */
export class Sync {
  readonly provisioners: ProvisionerService
  readonly accounts: ManagedAccounts
  readonly queue: SyncQueue
  readonly state: SyncState
  readonly synchroniser: Synchroniser
  readonly decisions: AccountDecisions
  readonly newerLogins: NewerLogins

  constructor({ cipher, ...options }: SyncOptions) {
    const { database, audit, permissions, servers, queue, open = openProvisioner } = options
    const pending = new PendingSecrets(cipher)
    this.queue = queue
    this.provisioners = new ProvisionerService(database, audit, cipher)
    this.accounts = new ManagedAccounts(database)
    const { provisioners, accounts } = this
    this.synchroniser = new Synchroniser({ ...options, provisioners, accounts, pending, open })
    this.decisions = new AccountDecisions({
      ...{ database, audit, servers, permissions, accounts, queue },
      synchroniser: this.synchroniser,
    })
    this.state = new SyncState({ database, servers, provisioners, accounts })
    this.newerLogins = new NewerLogins({ database, permissions, pending })
  }
}
