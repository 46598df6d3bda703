import type { ShareRow } from '../db/models/share.js'
import type { Mount } from '../vfs/mount.js'
import { baseName, childPath } from '../vfs/virtual-path.js'

export type ShareKind = 'file' | 'directory'

/** Why a share opens nothing at the moment. `moved`: the owner's login or start folder is another one now. */
export const SHARE_BLOCKS = [
  'ended',
  'owner disabled',
  'recipient disabled',
  'permission ended',
  'server disabled',
  'moved',
] as const
export type ShareBlock = (typeof SHARE_BLOCKS)[number]

/** A file or folder that one user lets another one read, through the own permission and no further. */
export interface Share {
  readonly id: number
  readonly ownerId: number
  readonly owner: string
  readonly recipientId: number
  readonly recipient: string
  readonly permissionId: number
  readonly serverId: number
  /** Virtual path in the owner's tree. */
  readonly path: string
  /** Last segment of the path. */
  readonly name: string
  readonly kind: ShareKind
  readonly note: string
  readonly endsAt: Date | undefined
  readonly createdAt: Date
  readonly blocked: ShareBlock | undefined
  /** As they were when it was shared. */
  readonly remoteUser: string
  readonly root: string | undefined
}

/** @param row with its permission (user and server included) and its recipient */
export function shareOf(row: ShareRow, now: number): Share {
  const { id, recipientId, permissionId, note, createdAt, remoteUser } = row
  const permission = row.Permission
  const path = row.path.split('/').reduce(childPath, childPath('/', permission?.Server?.alias ?? ''))
  return {
    ...{ id, recipientId, permissionId, note, createdAt, remoteUser, path },
    ownerId: permission?.userId ?? 0,
    owner: permission?.User?.username ?? '',
    recipient: row.Recipient?.username ?? '',
    serverId: permission?.serverId ?? 0,
    name: baseName(path),
    kind: row.kind as ShareKind,
    endsAt: row.endsAt ?? undefined,
    blocked: blockOf(row, now),
    root: row.root ?? undefined,
  }
}

function blockOf({ endsAt, Permission, Recipient, remoteUser, root }: ShareRow, now: number): ShareBlock | undefined {
  const owner = Permission?.User
  if ((endsAt?.getTime() ?? Infinity) <= now) return 'ended'
  if (!Permission || !owner || owner.disabled) return 'owner disabled'
  if (!Recipient || Recipient.disabled) return 'recipient disabled'
  if ((Permission.endsAt?.getTime() ?? Infinity) <= now) return 'permission ended'
  if (Permission.Server?.enabled !== true) return 'server disabled'
  const same = (Permission.remoteUser ?? owner.username) === remoteUser && Permission.root === root
  return same ? undefined : 'moved'
}

/** Whether the owner's mount leads where it led when this was shared. */
export function leadsBy(share: Share, { permissionId, account, root }: Mount): boolean {
  return permissionId === share.permissionId && account.login.username === share.remoteUser && root === share.root
}
