import type { AuthResult } from '../../auth/authenticate.js'
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
  readonly drivers: Drivers
  /** Several changes as one. */
  change<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>
  /** Of `auth/`; for the login with JSON. */
  password(username: string, password: string, address: string): AuthResult | Promise<AuthResult>
  /** The API as an OpenAPI document. */
  description(): { readonly openapi: string }
}
