/** What an event is about; its name as it was at that time. `id` 0: nobody knows anything by this name, or it is the top folder. */
export interface AuditObject {
  readonly id: number
  readonly name: string
}

interface Event<Type extends string, Details> {
  readonly type: Type
  readonly object: AuditObject
  readonly details: Details
}

type Nothing = Readonly<Record<string, never>>

type Values = Readonly<Record<string, unknown>>

/** Names of the fields that changed, and their values, save those of secrets. */
export interface Changed {
  readonly fields: readonly string[]
  readonly before: Values
  readonly after: Values
}

/** Of an app password or API token: whose it is, and what it is limited to. */
interface SecretLimits {
  readonly user: string
  readonly servers: readonly number[] | 'all'
  readonly expiresAt: string | undefined
}

/** What everybody knows of one request on files. */
export interface FileDetails {
  /** Virtual path. */
  readonly path: string
  /** Of a copy or a move. */
  readonly target?: string
  /** The login on the server. */
  readonly remoteUser?: string
  /** The one at the target, where it is another. */
  readonly targetRemoteUser?: string
  /** Bytes that travelled to or from the client, or were copied. */
  readonly bytes?: number
  /** Why it was refused or failed. */
  readonly code?: string
  /** Milliseconds. */
  readonly duration: number
  readonly via: string
  readonly userAgent: string
  /** Of what another user has shared: the share, and whose permission it runs through. */
  readonly share?: { readonly id: number; readonly owner: string }
}

/** Who lets whom see what. */
interface ShareDetails {
  readonly owner: string
  readonly recipient: string
  /** Virtual path in the owner's tree. */
  readonly path: string
}

export interface LoginDetails {
  readonly via: string
  /** The app password or API token. */
  readonly credential?: string | undefined
  readonly reason?: string | undefined
}

/** What can be done to files and folders. `looked-at` and `listed` are recorded coarsely. */
export type FileVerb =
  | 'looked-at'
  | 'listed'
  | 'read'
  | 'written'
  | 'folder-made'
  | 'removed'
  | 'copied'
  | 'moved'
  | 'time-set'
  | 'properties-changed'
  | 'locked'
  | 'lock-refreshed'
  | 'unlocked'

/** What is done to an account on a server. */
export type AccountVerb =
  | 'created'
  | 'secret-set'
  | 'old-secret-ended'
  | 'home-made'
  | 'home-moved'
  | 'enabled'
  | 'disabled'
  | 'home-archived'
  | 'removed'

export interface AccountDetails {
  /** The plan it is part of. */
  readonly run: number
  readonly path?: string | undefined
  /** Why the server refused it. */
  readonly reason?: string | undefined
}

/** Everything that can be recorded, in the past tense. Details hold no secret. */
export type AuditEvent =
  | Event<'login.succeeded' | 'login.refused', LoginDetails>
  /** By the one who had logged in. */
  | Event<'login.ended', { readonly via: string }>
  | Event<`file.${FileVerb}`, FileDetails>
  /** Somebody ended what another had under way; the object is the user whose it was. */
  | Event<
      'operation.ended',
      { readonly kind: string; readonly path: string; readonly bytes: number; readonly address: string }
    >
  /** By the retention: events up to number `through` are gone. */
  | Event<'audit.cut', { readonly through: number; readonly events: number }>
  | Event<'user.created', { readonly role: string }>
  | Event<'user.role-changed', { readonly from: string; readonly to: string }>
  | Event<'user.password-changed', Nothing>
  | Event<'user.disabled', Nothing>
  | Event<'user.enabled', Nothing>
  | Event<'user.removed', Nothing>
  | Event<'user.second-factor-begun', Nothing>
  | Event<'user.second-factor-enabled', Nothing>
  | Event<'user.second-factor-disabled', Nothing>
  | Event<'user.second-factor-reset', Nothing>
  | Event<'user.second-factor-failed', Nothing>
  | Event<'user.recovery-code-used', { readonly left: number }>
  | Event<'user.recovery-codes-renewed', Nothing>
  | Event<'user.sessions-ended', { readonly sessions: number }>
  | Event<'app-password.created', SecretLimits & { readonly readOnly: boolean }>
  | Event<'app-password.revoked', { readonly user: string }>
  | Event<'api-token.created', SecretLimits & { readonly scopes: readonly string[] }>
  | Event<'api-token.revoked', { readonly user: string }>
  | Event<
      'server.created',
      { readonly protocol: string; readonly host: string; readonly port: number; readonly trust: unknown }
    >
  | Event<'server.updated', Changed>
  | Event<
      'server.trusted',
      { readonly kind: string; readonly fingerprints: readonly string[]; readonly before: unknown }
    >
  | Event<'server.disabled', Nothing>
  | Event<'server.enabled', Nothing>
  | Event<'server.removed', { readonly before: Values }>
  | Event<'permission.granted', { readonly access: string; readonly after: Values }>
  | Event<'permission.updated', Changed>
  /** Names of the credentials that are set now; values never. */
  | Event<'permission.credentials-changed', { readonly fields: readonly string[] }>
  | Event<'permission.revoked', { readonly before: Values }>
  | Event<'share.created', ShareDetails & { readonly kind: string; readonly endsAt: string | undefined }>
  | Event<'share.updated', ShareDetails & Changed>
  | Event<'share.ended', ShareDetails>
  | Event<
      'provisioner.set',
      {
        readonly kind: string
        readonly fields: readonly string[]
        readonly automatic: boolean
        readonly settings: unknown
      }
    >
  | Event<'provisioner.removed', { readonly accounts: number }>
  /** One step on an account of a server; the object is the account, as `name@alias`. */
  | Event<`account.${AccountVerb}`, AccountDetails>
  | Event<'account.adopted', { readonly home: string | undefined; readonly secretKept: boolean }>
  | Event<'account.released', Nothing>
  | Event<'account.ending-decided', { readonly ending: string }>
  | Event<'account.rotation-wanted', Nothing>
  | Event<'account.secret-found-rejected', Nothing>
  | Event<'sync.applied' | 'sync.aborted', { readonly steps: number }>

export type AuditEventType = AuditEvent['type']

export const OUTCOMES = ['ok', 'refused', 'failed'] as const
export type Outcome = (typeof OUTCOMES)[number]
