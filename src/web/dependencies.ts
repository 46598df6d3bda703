import type { IncomingMessage } from 'node:http'
import type { AuthenticatedUser, AuthResult } from '../auth/authenticate.js'
import type { Config } from '../config/config.js'
import type { Logger } from '../logger.js'
import type { Metrics } from '../metrics/metrics.js'
import type { Client } from '../vfs/observer.js'
import type { Tree } from '../vfs/tree.js'

/** What the pages need from the rest of the gateway. */
export interface WebDependencies {
  /** Who is asking, by whatever the request brings. */
  readonly authenticate: (request: IncomingMessage) => AuthResult | Promise<AuthResult>
  readonly treeFor: (user: AuthenticatedUser, client: Client) => WebTree | Promise<WebTree>
  /** Why the gateway cannot serve now; undefined when it can. Asked by `/readyz`. */
  readonly unready?: () => Promise<string | undefined>
  readonly log: Pick<Logger, 'error' | 'warn' | 'debug'>
  readonly metrics?: Pick<Metrics, 'text' | 'contentType'> | undefined
  readonly config: Pick<Config, 'publicUrl' | 'tls' | 'trustProxy' | 'metrics'>
}

export type WebTree = Pick<Tree, 'stat' | 'list' | 'read'>
