import type { IncomingMessage } from 'node:http'
import type { Activity } from '../activity/activity.js'
import type { PermissionUsage } from '../activity/permission-usage.js'
import type { AuditLog } from '../audit/audit-log.js'
import type { ApiTokens } from '../auth/api-tokens.js'
import type { AppPasswords } from '../auth/app-passwords.js'
import type { Authenticator, AuthenticatedUser, AuthResult } from '../auth/authenticate.js'
import type { Jwts } from '../auth/jwt.js'
import type { Logins } from '../auth/logins.js'
import type { SecondFactor } from '../auth/second-factor.js'
import type { Sessions } from '../auth/sessions.js'
import type { Setup } from '../auth/setup.js'
import type { DriveAttempts } from '../auth/drive-attempts.js'
import type { Config } from '../config/config.js'
import type { Jobs } from '../jobs/jobs.js'
import type { ServerHealth } from '../health/server-health.js'
import type { Logger } from '../logger.js'
import type { Metrics } from '../metrics/metrics.js'
import type { PermissionService } from '../permissions/permission-service.js'
import type { ServerService } from '../servers/server-service.js'
import type { Share } from '../shares/share.js'
import type { ShareService } from '../shares/share-service.js'
import type { Sync } from '../sync/sync.js'
import type { UserService } from '../users/user-service.js'
import type { Drivers } from '../storage/drivers.js'
import type { Client } from '../vfs/observer.js'
import type { Tree } from '../vfs/tree.js'
import type { ApiDependencies } from './api/services.js'

/** Of `auth/`: who somebody is, and what they prove it with. */
export interface AuthParts {
  readonly authenticator: Authenticator
  readonly sessions: Sessions
  readonly logins: Logins
  readonly secondFactor: SecondFactor
  readonly appPasswords: AppPasswords
  readonly apiTokens: ApiTokens
  readonly jwts: Jwts
  readonly setup: Setup
}

/** What the pages need from the rest of the gateway. */
export interface WebDependencies extends AuthParts, ApiDependencies {
  /** Who is asking, by whatever the request brings. */
  readonly authenticate: (request: IncomingMessage) => AuthResult | Promise<AuthResult>
  readonly treeFor: (user: AuthenticatedUser, client: Client) => WebTree | Promise<WebTree>
  /** What another user shares with this one. @throws UnknownObjectError when there is no such share, or it opens nothing */
  readonly sharedTreeFor: (user: AuthenticatedUser, shareId: number, client: Client) => Promise<SharedFiles>
  /** Why the gateway cannot serve now; undefined when it can. Asked by `/readyz`. */
  readonly unready?: () => Promise<string | undefined>
  readonly users: UserService
  readonly servers: ServerService
  readonly permissions: PermissionService
  readonly shares: ShareService
  /** Accounts on servers that follow permissions. */
  readonly sync: Pick<Sync, 'provisioners' | 'accounts' | 'queue' | 'state' | 'synchroniser' | 'decisions'>
  /** For tests of a server's connection, outside of the pools. */
  readonly drivers: Drivers
  readonly audit: AuditLog
  readonly jobs: Jobs
  /** What became of attempts to mount the drive. */
  readonly driveAttempts: DriveAttempts
  readonly activity: Pick<Activity, 'running' | 'end' | 'clients'>
  readonly usage: Pick<PermissionUsage, 'of'>
  readonly health: Pick<ServerHealth, 'of' | 'history'>
  /** Sign the cookie of sessions and the token of forms; 32 bytes each. */
  readonly keys: { readonly session: Buffer; readonly csrf: Buffer }
  readonly log: Pick<Logger, 'error' | 'warn' | 'debug'>
  readonly metrics?: Pick<Metrics, 'text' | 'contentType'> | undefined
  readonly config: Pick<Config, 'publicUrl' | 'tls' | 'trustProxy' | 'limits' | 'metrics'>
}

/** A share, and the tree in which it can be read. */
export interface SharedFiles {
  readonly share: Share
  readonly tree: WebTree
}

export type WebTree = Tree
