import { z } from 'zod'
import { UnknownObjectError } from '../../../errors.js'
import { SHARE_BLOCKS, type Share } from '../../../shares/share.js'
import { hrefOf } from '../../pages/files/file-path.js'
import { hrefInShare } from '../../pages/shared/shared-place.js'
import { entityTag } from '../entity-tag.js'
import { time } from '../input-values.js'
import type { Call } from '../operation.js'
import type { Transaction } from '../services.js'

export const shareSchema = z
  .object({
    id: z.int(),
    owner: z.string().describe('Username of who shares.'),
    recipient: z.string().describe('Username of who may read it.'),
    name: z.string(),
    kind: z.enum(['file', 'directory']),
    path: z.string().nullable().describe('In the tree of its owner; null for who it is shared with.'),
    note: z.string(),
    endsAt: z.iso.datetime().nullable(),
    createdAt: z.iso.datetime(),
    blocked: z.enum(SHARE_BLOCKS).nullable().describe('Why nothing is opened by it now.'),
    href: z.string().describe('The page on which you see it. Path part of a URL.'),
  })
  .meta({ id: 'Share' })

/** As one of its two users sees it. */
export function viewOfShare(share: Share, userId: number): z.input<typeof shareSchema> {
  const { id, owner, recipient, name, kind, path, note, endsAt, createdAt, blocked } = share
  const own = share.ownerId === userId
  const folder = kind === 'directory'
  return {
    ...{ id, owner, recipient, name, kind, note },
    path: own ? path : null,
    endsAt: endsAt?.toISOString() ?? null,
    createdAt: createdAt.toISOString(),
    blocked: blocked ?? null,
    href: own ? hrefOf(path, folder) : hrefInShare(share, path, folder),
  }
}

export function tagOfShare(share: Share, userId: number): string {
  return entityTag(viewOfShare(share, userId))
}

/** JSON has no dates: what the service takes as one comes as text. */
export const endsAtInBody = time
  .nullable()
  .optional()
  .describe('A date without time includes that day (UTC). null: until you end it.')

/** A token that is limited to some servers sees no share of the others. */
export function isWithinLimits({ servers }: Pick<Call<'any'>['user'], 'servers'>, { serverId }: Share): boolean {
  return servers === undefined || servers.includes(serverId)
}

/** One that the caller shares or is given. @throws UnknownObjectError */
export async function shareOf(
  { services, user }: Pick<Call<'any'>, 'services' | 'user'>,
  id: number,
  transaction?: Transaction,
): Promise<Share> {
  const share = await services.shares.get(id, user.userId, transaction)
  if (!isWithinLimits(user, share)) throw new UnknownObjectError('There is no such share, or it has ended.')
  return share
}
