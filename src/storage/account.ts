import type { Endpoint, Login } from './driver.js'

/** Bounds on connections to one server. */
export interface ServerLimits {
  /** Connections to the server, all accounts together. */
  readonly maxConnections: number
  readonly maxConnectionsPerAccount: number
}

/** A registered server, as far as storage needs to know it. */
export interface ServerTarget {
  readonly id: number
  readonly alias: string
  readonly endpoint: Endpoint
  readonly limits: ServerLimits
  /** Changes whenever something changed that an open connection would not know: endpoint, trust. */
  readonly version: string
}

/** The login on a server that a permission uses. Connections are pooled per account. */
export interface Account {
  /** Server, remote user and secret version: equal keys mean that connections may be shared. */
  readonly key: string
  readonly server: ServerTarget
  readonly login: Login
}

/**
 * `metadata` operations are short; a `transfer` holds its connection as long as the client takes, and therefore never gets
 * the last connection of an account that may have more than one.
 */
export type Use = 'metadata' | 'transfer'

/** What is known of a server without asking it. */
export type ServerState =
  | { readonly state: 'unknown' }
  | { readonly state: 'up'; readonly since: number }
  /** `retryAt`: ms since the epoch of the next probe. */
  | { readonly state: 'down'; readonly since: number; readonly reason: string; readonly retryAt: number }
