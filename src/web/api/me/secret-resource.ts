import { z } from 'zod'
import type { ApiToken } from '../../../auth/api-tokens.js'
import type { AppPassword } from '../../../auth/app-passwords.js'

/** What app passwords and API tokens have in common. The secret itself is nowhere. */
export const secretFields = {
  id: z.int(),
  name: z.string(),
  servers: z.array(z.int()).nullable().describe('Ids; null: all that you may reach.'),
  expiresAt: z.iso.datetime().nullable(),
  createdAt: z.iso.datetime(),
  lastUsedAt: z.iso.datetime().nullable(),
  lastUsedAddress: z.string().nullable(),
}

export function viewOfSecret(secret: AppPassword | ApiToken) {
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
