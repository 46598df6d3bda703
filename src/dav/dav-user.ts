import type { v2 as webdav } from 'webdav-server'
import type { Tree } from '../vfs/tree.js'

/** An authenticated user, as webdav-server carries one through a request, with the tree to act on. */
export class DavUser implements webdav.IUser {
  /** Administrators of webdav-server pass every lock: nobody is one here. */
  readonly isAdministrator = false
  readonly isDefaultUser = false
  readonly uid: string
  readonly username: string

  constructor(readonly tree: Tree) {
    this.uid = String(tree.userId)
    this.username = tree.username
  }
}
