/** What somebody who proved who it is may do with that proof. */
export const SCOPES = ['files:read', 'files:write', 'account', 'admin:read', 'admin:write'] as const
export type Scope = (typeof SCOPES)[number]

/** Of a login with password, session or JWT. */
export const USER_SCOPES: ReadonlySet<Scope> = new Set(['files:read', 'files:write', 'account'])
export const ADMIN_SCOPES: ReadonlySet<Scope> = new Set(SCOPES)

/** Of an app password. */
export const FILE_SCOPES: ReadonlySet<Scope> = new Set(['files:read', 'files:write'])
export const READ_SCOPES: ReadonlySet<Scope> = new Set(['files:read'])

export function isAdminScope(scope: Scope): boolean {
  return scope.startsWith('admin:')
}
