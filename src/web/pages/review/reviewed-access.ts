import type { Permission } from '../../../permissions/permission-service.js'
import type { WebDependencies } from '../../dependencies.js'

export type ReviewDependencies = Pick<WebDependencies, 'users' | 'servers' | 'permissions' | 'usage'>

/** Who can reach what: one permission, and whether it opens anything now. */
export interface ReviewedAccess {
  readonly permission: Permission
  /** Why nothing is reached by it at the moment. */
  readonly blocked: 'user disabled' | 'server disabled' | 'ended' | undefined
  readonly lastUsedAt: Date | undefined
  readonly loginRejectedAt: Date | undefined
}

/** @param text part of the name of a user, a server or a login; everything when undefined */
export async function reviewAccess(
  dependencies: ReviewDependencies,
  text: string | undefined,
): Promise<ReviewedAccess[]> {
  const { users, servers, permissions, usage } = dependencies
  const [everybody, all, granted] = [await users.list(), await servers.list(), await permissions.list()]
  const disabledUsers = new Set(everybody.filter(({ disabled }) => disabled).map(({ id }) => id))
  const disabledServers = new Set(all.filter(({ enabled }) => !enabled).map(({ id }) => id))
  const wanted = text?.toLowerCase() ?? ''
  const fitting = granted.filter(({ username, alias, remoteUser }) =>
    [username, alias, remoteUser].some((name) => name.toLowerCase().includes(wanted)),
  )
  const used = await usage.of(fitting.map(({ id }) => id))
  const now = Date.now()
  return fitting.map((permission) => ({
    permission,
    blocked: disabledUsers.has(permission.userId)
      ? 'user disabled'
      : disabledServers.has(permission.serverId)
        ? 'server disabled'
        : (permission.endsAt?.getTime() ?? Infinity) <= now
          ? 'ended'
          : undefined,
    lastUsedAt: used.get(permission.id)?.lastUsedAt,
    loginRejectedAt: used.get(permission.id)?.loginRejectedAt,
  }))
}
