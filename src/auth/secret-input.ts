import { z } from 'zod'
import type { Transaction } from 'sequelize'
import type { Models } from '../db/models/define-models.js'
import { ValidationError } from '../errors.js'
import { endDate } from '../parse-input.js'
import { SCOPES } from './scope.js'

/** Of one user, of each kind. */
export const MAX_SECRETS = 50

/** In the audit log. */
export const ALL_SERVERS = 'all' as const

const name = z
  .string()
  .trim()
  .min(1, 'must not be empty: say what it is for')
  .max(64, 'must not be longer than 64 characters')
  // eslint-disable-next-line no-control-regex
  .refine((text) => text.isWellFormed() && !/[\u0000-\u001f\u007f]/.test(text), 'must not hold control characters')

const servers = z
  .array(z.number().int().positive(), { error: 'must be a list of server ids' })
  .min(1, 'must name a server: leave it out for all')
  .max(1000, 'must not name more than 1000 servers')
  .transform((ids) => [...new Set(ids)].sort((a, b) => a - b))

const expiresAt = endDate.refine((date) => date.getTime() > Date.now(), 'must be in the future')

const common = { name, servers: servers.optional(), expiresAt: expiresAt.optional() }

export const newAppPassword = z.strictObject({ ...common, readOnly: z.boolean().default(false) })
export type NewAppPassword = z.input<typeof newAppPassword>

const GRANTABLE = SCOPES.filter((scope) => scope !== 'account')

export const newApiToken = z.strictObject({
  ...common,
  scopes: z
    .array(z.enum(GRANTABLE, { error: `must be of ${GRANTABLE.join(', ')}` }))
    .min(1, 'must name what the token may do')
    .transform((scopes) => GRANTABLE.filter((scope) => scopes.includes(scope)))
    .refine(
      (scopes) => !scopes.includes('files:write') || scopes.includes('files:read'),
      'files:write needs files:read too',
    )
    .refine(
      (scopes) => !scopes.includes('admin:write') || scopes.includes('admin:read'),
      'admin:write needs admin:read too',
    ),
})
export type NewApiToken = z.input<typeof newApiToken>

/** @throws ValidationError when the user has no permission on one of them */
export async function requirePermitted(
  { Permission }: Models,
  userId: number,
  servers: readonly number[] | undefined,
  transaction: Transaction,
): Promise<void> {
  if (servers === undefined) return
  const permitted = await Permission.count({ where: { userId, serverId: [...servers] }, transaction })
  if (permitted === servers.length) return
  throw new ValidationError([{ field: 'servers', message: 'must be servers that the user may reach' }])
}
