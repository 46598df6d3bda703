import { z } from 'zod'
import { ROLES } from '../../../users/user-input.js'
import type { User } from '../../../users/user-service.js'
import { entityTag } from '../entity-tag.js'

/** A user as the API shows it. */
export const userSchema = z
  .object({
    id: z.int(),
    username: z.string(),
    role: z.enum(ROLES),
    disabled: z.boolean(),
    mustChangePassword: z.boolean().describe('At the next login in a browser, before anything else.'),
    hasSecondFactor: z.boolean(),
    lastLoginAt: z.iso.datetime().nullable(),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'User' })

export function viewOfUser(user: User): z.input<typeof userSchema> {
  return {
    id: user.id,
    username: user.username,
    role: user.role,
    disabled: user.disabled,
    mustChangePassword: user.mustChangePassword,
    hasSecondFactor: user.hasSecondFactor,
    lastLoginAt: user.lastLoginAt?.toISOString() ?? null,
    createdAt: user.createdAt.toISOString(),
    updatedAt: user.updatedAt.toISOString(),
  }
}

/** Logging in changes nothing in it. */
export function tagOfUser({ id, role, disabled, authVersion, mustChangePassword }: User): string {
  return entityTag([id, role, disabled, authVersion, mustChangePassword])
}
