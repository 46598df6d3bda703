import { RestrictedAccess } from '../permissions/restricted-access.js'
import type { UserAccess } from '../vfs/mount.js'
import { leadsBy, type Share } from './share.js'

/** What the owner of a share may reach, cut down to reading on its server: equal for equal arguments. */
export class SharedAccess {
  readonly #restricted = new RestrictedAccess()

  /** Undefined when the owner cannot reach what was shared (any more). */
  of(owner: UserAccess, share: Share): UserAccess | undefined {
    if (!owner.mounts.some((mount) => leadsBy(share, mount))) return undefined
    return this.#restricted.of(owner, { servers: [share.serverId], readOnly: true, credential: credentialOf(share) })
  }
}

function credentialOf({ id, recipientId }: Share): string {
  return `share:${id}:${recipientId}`
}

/** Of what is under way: that by which this user reads what others share. */
export function openedBy(recipientId: number, credentials: ReadonlySet<string>): Set<string> {
  const end = `:${recipientId}`
  return new Set([...credentials].filter((name) => name.startsWith('share:') && name.endsWith(end)))
}
