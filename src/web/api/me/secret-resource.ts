import { z } from 'zod'
import type { ApiToken } from '../../../auth/api-tokens.js'
import type { AppPassword } from '../../../auth/app-passwords.js'
import { SCOPES } from '../../../auth/scope.js'

/** What app passwords and API tokens have in common. The secret itself is nowhere. */
const secretFields = {
  id: z.int(),
  name: z.string(),
  servers: z.array(z.int()).nullable().describe('Ids; null: all that the user may reach.'),
  expiresAt: z.iso.datetime().nullable(),
  createdAt: z.iso.datetime(),
  lastUsedAt: z.iso.datetime().nullable(),
  lastUsedAddress: z.string().nullable(),
}

export const appPasswordSchema = z.object({ ...secretFields, readOnly: z.boolean() }).meta({ id: 'AppPassword' })

export const apiTokenSchema = z.object({ ...secretFields, scopes: z.array(z.enum(SCOPES)) }).meta({ id: 'ApiToken' })

export function viewOfAppPassword(appPassword: AppPassword): z.input<typeof appPasswordSchema> {
  return { ...viewOfSecret(appPassword), readOnly: appPassword.readOnly }
}

export function viewOfApiToken(token: ApiToken): z.input<typeof apiTokenSchema> {
  return { ...viewOfSecret(token), scopes: [...token.scopes] }
}

function viewOfSecret(secret: AppPassword | ApiToken) {
  return {
    id: secret.id,
    name: secret.name,
    servers: secret.servers ? [...secret.servers] : null,
    expiresAt: secret.expiresAt?.toISOString() ?? null,
    createdAt: secret.createdAt.toISOString(),
    lastUsedAt: secret.lastUsedAt?.toISOString() ?? null,
    lastUsedAddress: secret.lastUsedAddress ?? null,
  }
}
