/** Who is at the other end of a request. */
export interface Client {
  /** IP address; behind trusted proxies the one that they tell. */
  readonly address: string
  /** '' when the client says nothing. */
  readonly userAgent: string
  readonly requestId: string
  /** How the user proved who it is. */
  readonly via: 'password' | 'app-password' | 'session' | 'jwt' | 'api-token'
  /** Name of the app password or API token. */
  readonly credential?: string | undefined
  /** By which share of another user. */
  readonly share?: { readonly id: number; readonly owner: string } | undefined
}

/** What a tree can be asked for, one word for each of its methods that concerns files. */
export type OperationKind =
  | 'stat'
  | 'list'
  | 'read'
  | 'write'
  | 'make-directory'
  | 'remove'
  | 'copy'
  | 'move'
  | 'set-modified'
  | 'change-properties'
  | 'lock'
  | 'refresh-lock'
  | 'unlock'

/** The mount that an operation concerns; the login on its server included. */
export interface OperationMount {
  readonly permissionId: number
  readonly serverId: number
  readonly alias: string
  readonly remoteUser: string
  /** Tells accounts apart within this process; to nobody outside of it. */
  readonly accountKey: string
}

/** One call of a user's tree, from its start to its end. */
export interface TreeOperation {
  readonly kind: OperationKind
  readonly userId: number
  readonly username: string
  readonly client: Client
  /** Virtual path as it was asked for. */
  readonly path: string
  /** Of a copy or a move: where to. */
  readonly target: string | undefined
  /** Undefined for `/` and for a server that the user may not reach. */
  readonly mount: OperationMount | undefined
  /** Of the target of a copy or a move. */
  readonly targetMount: OperationMount | undefined
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  /** Bytes that have reached the other side so far; of a copy or a move those that were stored at the target. */
  readonly bytes: number
  /** Bytes that are to travel, where known. */
  readonly total: number | undefined
  /** Ends the operation: its caller gets ENDED. Undefined for those that are over in a moment. */
  readonly end: (() => void) | undefined
}

/**
 * How an operation ended. `refused`: somebody said no (permission, lock, the server's own rights); `failed`: it could not
 * be done. `code` is that of the error, `PARTIAL` when members of a folder stayed.
 */
export interface OperationResult {
  readonly outcome: 'ok' | 'refused' | 'failed'
  readonly code?: string | undefined
  /** Whole milliseconds. */
  readonly duration: number
}

/**
 * Is told of every operation on the trees. Called in the path of requests: it returns at once, asks neither database nor
 * network, and does not throw.
 */
export interface TreeObserver {
  started?(operation: TreeOperation): void
  ended?(operation: TreeOperation, result: OperationResult): void
}
