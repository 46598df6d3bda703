import type { ServerState } from './account.js'
import type { ConnectFault } from './connect-fault.js'
import type { StorageError } from './errors.js'

interface OnServer {
  readonly serverId: number
  readonly alias: string
  readonly accountKey: string
}

/** What happens between the pools and the servers, for whoever counts it or draws conclusions. */
export type ConnectionEvent =
  /** `took`: milliseconds for TCP, TLS and login together. */
  | (OnServer & { readonly kind: 'connected'; readonly took: number })
  | (OnServer & {
      readonly kind: 'connect-failed'
      readonly took: number
      readonly error: StorageError
      /** Whose fault it is. */
      readonly blames: ConnectFault['blames']
      /** What is thought of the server now. */
      readonly state: ServerState
    })
  /** `waited`: milliseconds until a connection was there, connecting included. */
  | (OnServer & { readonly kind: 'lent'; readonly waited: number })

/** Called in the path of requests: returns at once, does not throw. */
export type ConnectionListener = (event: ConnectionEvent) => void
