import type { AuthenticatedUser, AuthResult } from '../auth/authenticate.js'
import type { DriveAttempts } from '../auth/drive-attempts.js'
import type { Logger } from '../logger.js'
import type { Client } from '../vfs/observer.js'
import type { Tree } from '../vfs/tree.js'

export interface DavLimits {
  /** Bytes of an XML body. */
  readonly xmlBytes: number
  /** Nested elements of an XML body. */
  readonly xmlDepth: number
  /** Longest life of a lock without a refresh. */
  readonly lockSeconds: number
  /** Milliseconds that an uploading client may send nothing. */
  readonly clientIdle: number
}

/** What the WebDAV edge needs from the rest of the gateway. */
export interface DavDependencies {
  /** Judges an `Authorization` header (undefined: none was sent) from a client's address. */
  readonly authenticate: (header: string | undefined, address: string) => AuthResult | Promise<AuthResult>
  readonly treeFor: (user: AuthenticatedUser, client: Client) => Tree | Promise<Tree>
  /** Hears what became of each attempt to get in. */
  readonly attempts?: Pick<DriveAttempts, 'note'> | undefined
  readonly log: Pick<Logger, 'error' | 'warn' | 'debug'>
  /** Where users reach the gateway, when the admin said so. */
  readonly publicUrl?: string | undefined
  /** Whether the peer at this address is a proxy whose `X-Forwarded-*` headers count. */
  readonly trustProxy: (address: string) => boolean
  readonly limits: DavLimits
  /** Whether clients reach the gateway by TLS; without it Windows does not send a password. */
  readonly secure: boolean
}
