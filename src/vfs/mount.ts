import type { Account } from '../storage/account.js'

/** How a PUT replaces a file. `auto`: rename over, else swap; `atomic`: rename over or refuse; `direct`: store in place. */
export type UploadMode = 'auto' | 'atomic' | 'direct'

/**
 * Whether logins of one server see one tree (`shared`) or each its own (`separate`, e.g. chrooted homes). `auto`: separate
 * when the login lands in `/`. Locks, and writes shown to others, follow this.
 */
export type Homes = 'auto' | 'shared' | 'separate'

export type Access = 'read-write' | 'read-only'

/** A permission as a folder in one user's tree. */
export interface Mount {
  /** The folder's name in the tree. */
  readonly alias: string
  readonly permissionId: number
  readonly account: Account
  readonly access: Access
  /** Start folder: relative to where the login lands, or absolute; undefined: where the login lands. */
  readonly root: string | undefined
  readonly homes: Homes
  readonly upload: UploadMode
}

/** A user with everything that one may reach, as one immutable value; a change makes a new one. */
export interface UserAccess {
  readonly userId: number
  readonly username: string
  readonly admin: boolean
  /** Grows with every change that must end what is open: password, disable, role. */
  readonly authVersion: number
  readonly mounts: readonly Mount[]
  /** The name of the app password, token or session by which it is used; undefined: the login password. */
  readonly credential?: string | undefined
}
