/** What an event is about; its name as it was at that time. */
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
/** Names of the fields that changed, never their values. */
interface Changed {
  readonly fields: readonly string[]
}

/** Of an app password or API token: whose it is, and what it is limited to. */
interface SecretLimits {
  readonly user: string
  readonly servers: readonly number[] | 'all'
  readonly expiresAt: string | undefined
}

/** Everything that can be recorded, in the past tense. Details hold no secret. */
export type AuditEvent =
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
  /** The object is the user; id 0 when there is none of that name. */
  | Event<'login.succeeded', { readonly via: string; readonly credential?: string | undefined }>
  | Event<'login.refused', { readonly via: string; readonly reason: string }>
  | Event<'server.created', { readonly protocol: string; readonly host: string; readonly port: number }>
  | Event<'server.updated', Changed>
  | Event<'server.trusted', { readonly kind: string; readonly fingerprints: readonly string[] }>
  | Event<'server.disabled', Nothing>
  | Event<'server.enabled', Nothing>
  | Event<'server.removed', Nothing>
  | Event<'permission.granted', { readonly access: string }>
  | Event<'permission.updated', Changed>
  | Event<'permission.credentials-changed', Changed>
  | Event<'permission.revoked', Nothing>

export type AuditEventType = AuditEvent['type']
