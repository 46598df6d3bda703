import { RestrictedAccess } from '../permissions/restricted-access.js'
import type { UserAccess } from '../vfs/mount.js'
import { leadsBy, type Share } from './share.js'

/** What the owner of a share may reach, cut down to reading on its server: equal for equal arguments. */
export class SharedAccess {
  readonly #restricted = new RestrictedAccess()

  /**
   * Undefined when the owner cannot reach what was shared (any more).
   * @param proof names by what the recipient came, where that is something that can end
   */
  of(owner: UserAccess, share: Share, proof?: string): UserAccess | undefined {
    if (!owner.mounts.some((mount) => leadsBy(share, mount))) return undefined
    const opened = credentialOf(share)
    const credential = proof === undefined ? opened : `${opened}+${proof}`
    return this.#restricted.of(owner, { servers: [share.serverId], readOnly: true, credential })
  }
}

function credentialOf({ id, recipientId }: Share): string {
  return `share:${id}:${recipientId}`
}

/** Of what is under way: that by which this user reads what others share. */
export function openedBy(recipientId: number, credentials: ReadonlySet<string>): Set<string> {
  const opened = new RegExp(`^share:\\d+:${recipientId}(\\+|$)`)
  return new Set([...credentials].filter((name) => opened.test(name)))
}
