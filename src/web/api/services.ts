import type { UserService } from '../../users/user-service.js'
import type { AuthParts, WebDependencies } from '../dependencies.js'

export type Transaction = NonNullable<Parameters<UserService['list']>[0]>

/** What only the API needs. */
export interface ApiDependencies {
  /** Several changes as one. */
  readonly change: <T>(work: (transaction: Transaction) => Promise<T>) => Promise<T>
  /** Of a password, as `UserService` takes it: so that many need not be made within a transaction. */
  readonly hashPassword: (password: string) => Promise<{ readonly hash: string }>
}

type Used =
  | 'users'
  | 'servers'
  | 'permissions'
  | 'shares'
  | 'sync'
  | 'treeFor'
  | 'jobs'
  | 'drivers'
  | 'audit'
  | 'activity'
  | 'usage'
  | 'health'

/** What operations work with, of all that the web has. */
export interface ApiServices extends ApiDependencies, Pick<WebDependencies, Used> {
  readonly auth: AuthParts
  /** The API as an OpenAPI document. */
  readonly description: () => { readonly openapi: string }
}
