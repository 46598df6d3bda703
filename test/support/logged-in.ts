import type { AuthenticatedUser } from '../../src/auth/authenticate.js'
import { ADMIN_SCOPES, USER_SCOPES } from '../../src/auth/scope.js'

/** Somebody who logged in with a password, unless `fields` say otherwise. */
export function loggedIn(fields: Partial<AuthenticatedUser> = {}): AuthenticatedUser {
  const { admin = false } = fields
  const scopes = admin ? ADMIN_SCOPES : USER_SCOPES
  return { userId: 1, username: 'user1', admin, authVersion: 1, via: 'password', scopes, ...fields }
}
