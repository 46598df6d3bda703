import type { Transaction } from 'sequelize'
import type { Scope } from './scope.js'
import type { ReadSecret } from './secret-text.js'

/** An app password or API token as the door needs it. */
export interface IssuedSecret {
  readonly id: number
  readonly name: string
  readonly userId: number
  readonly username: string
  readonly scopes: ReadonlySet<Scope>
  /** Ids; undefined: all that the user may reach. */
  readonly servers: readonly number[] | undefined
  readonly expiresAt: Date | undefined
}

/** Where secrets of one kind are kept. */
export interface SecretStore {
  /** Undefined when there is none, or when it is not quite that one. @throws DatabaseError */
  find(secret: ReadSecret): Promise<IssuedSecret | undefined>
  /** Notes when and from where it was used last. */
  used(id: number, address: string, at: Date, transaction: Transaction): Promise<void>
  /** Which of these were revoked or have expired. @throws DatabaseError */
  ended(ids: readonly string[], now: Date): Promise<Set<string>>
}
