import type { Activity } from './activity/activity.js'
import type { AuthenticatedUser } from './auth/authenticate.js'
import { credentialName } from './auth/revoked-credentials.js'
import { UnknownObjectError } from './errors.js'
import { HttpError } from './http/errors.js'
import type { AccessCache } from './permissions/access-cache.js'
import { RestrictedAccess } from './permissions/restricted-access.js'
import type { Share } from './shares/share.js'
import type { ShareService } from './shares/share-service.js'
import { SharedAccess } from './shares/shared-access.js'
import type { UserAccess } from './vfs/mount.js'
import { ObservedTree } from './vfs/observed-tree.js'
import type { Client, TreeObserver } from './vfs/observer.js'
import { SharedTree } from './vfs/shared-tree.js'
import type { Tree } from './vfs/tree.js'
import type { Trees } from './vfs/trees.js'

export interface UserTreesOptions {
  readonly access: Pick<AccessCache, 'peek' | 'get'>
  readonly trees: Pick<Trees, 'treeOf'>
  readonly shares: Pick<ShareService, 'opened'>
  readonly activity: Pick<Activity, 'seen'>
  readonly observers: readonly TreeObserver[]
}

/** The trees of those who have proved who they are, cut down to what that proof allows, and watched. */
export class UserTrees {
  readonly #restricted = new RestrictedAccess()
  readonly #shared = new SharedAccess()

  constructor(private readonly options: UserTreesOptions) {}

  /** @throws HttpError 401 when the login is not good any more, 403 without the scope for files */
  async own(user: AuthenticatedUser, client: Client): Promise<Tree> {
    const permitted = this.#permitted(user, client, await this.#access(user.userId))
    const { scopes, servers } = user
    const credential = credentialName(user)
    const readOnly = !scopes.has('files:write')
    const reach =
      credential === undefined ? permitted : this.#restricted.of(permitted, { servers, readOnly, credential })
    return new ObservedTree(this.options.trees.treeOf(reach), reach, client, this.options.observers)
  }

  /**
   * What another user shares with this one, by what its owner may reach at this moment.
   * @throws UnknownObjectError when there is no such share, or it opens nothing; HttpError as `own`
   */
  async shared(user: AuthenticatedUser, shareId: number, client: Client): Promise<{ share: Share; tree: Tree }> {
    this.#permitted(user, client, await this.#access(user.userId))
    const { shares, trees, observers } = this.options
    const share = await shares.opened(shareId, user.userId)
    const owner = await this.#access(share.ownerId)
    const reach = owner && this.#shared.of(owner, share, credentialName(user))
    if (!reach) throw new UnknownObjectError('There is no such share, or it has ended.')
    const { id, owner: name, path: root, kind } = share
    const { userId, username } = user
    const tree = new SharedTree(trees.treeOf(reach), { userId, username, root, kind })
    return { share, tree: new ObservedTree(tree, reach, { ...client, share: { id, owner: name } }, observers) }
  }

  #permitted(user: AuthenticatedUser, client: Client, permitted: UserAccess | undefined): UserAccess {
    if (permitted?.authVersion !== user.authVersion) throw new HttpError(401, 'LOGIN_CHANGED', 'Log in again.')
    if (!user.scopes.has('files:read')) throw new HttpError(403, 'SCOPE', 'This token is not for files.')
    this.options.activity.seen(user, client)
    return permitted
  }

  /** At once, when it is known. */
  #access(userId: number): UserAccess | undefined | Promise<UserAccess | undefined> {
    const { access } = this.options
    return access.peek(userId) ?? access.get(userId)
  }
}
