import type { PermissionService } from '../../permissions/permission-service.js'
import type { ServerService } from '../../servers/server-service.js'
import type { Drivers } from '../../storage/drivers.js'
import type { UserService } from '../../users/user-service.js'
import type { AuthParts } from '../dependencies.js'

/** What only the API needs. */
export interface ApiDependencies {
  readonly drivers: Drivers
  /** Several changes as one. */
  readonly change: <T>(work: (transaction: Transaction) => Promise<T>) => Promise<T>
  /** Of a password, as `UserService` takes it: so that many need not be made within a transaction. */
  readonly hashPassword: (password: string) => Promise<{ readonly hash: string }>
}

export type Transaction = NonNullable<Parameters<UserService['list']>[0]>

/** What operations work with, of all that the web has. */
export interface ApiServices extends ApiDependencies {
  readonly users: UserService
  readonly servers: ServerService
  readonly permissions: PermissionService
  readonly auth: AuthParts
  /** The API as an OpenAPI document. */
  description(): { readonly openapi: string }
}
