/** What a credential may be used for. */
export const SCOPES = ['files:read', 'files:write', 'account', 'admin:read', 'admin:write'] as const
export type Scope = (typeof SCOPES)[number]
