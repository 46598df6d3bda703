import type { Auth } from '../../auth/auth.js'
import type { PermissionService } from '../../permissions/permission-service.js'
import type { ServerService } from '../../servers/server-service.js'
import type { Drivers } from '../../storage/drivers.js'
import type { UserService } from '../../users/user-service.js'

export type Transaction = NonNullable<Parameters<UserService['list']>[0]>

/** What operations work with. */
export interface ApiServices {
  readonly users: UserService
  readonly servers: ServerService
  readonly permissions: PermissionService
  readonly auth: Pick<
    Auth,
    'authenticator' | 'appPasswords' | 'apiTokens' | 'jwts' | 'logins' | 'secondFactor' | 'sessions'
  >
  readonly drivers: Drivers
  /** Several changes as one. */
  change<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>
  /** Of a password, as `UserService` takes it: so that many need not be made within a transaction. */
  hashPassword(password: string): Promise<{ readonly hash: string }>
  /** The API as an OpenAPI document. */
  description(): { readonly openapi: string }
}
