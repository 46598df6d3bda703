import { z } from 'zod'
import { keyOf, type SessionInfo } from '../../../auth/sessions.js'

/** The session of a browser; its id, which is the key to it, is nowhere. */
export const sessionSchema = z
  .object({
    key: z.string(),
    current: z.boolean().describe('The one that this request came by.'),
    createdAt: z.iso.datetime(),
    lastSeenAt: z.iso.datetime(),
    address: z.string(),
    userAgent: z.string(),
  })
  .meta({ id: 'Session' })

export const sessionKey = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be the key of a session')

/** @param current that the request came by */
export function viewOfSessions(
  sessions: readonly SessionInfo[],
  current: { readonly id: string } | undefined,
): z.input<typeof sessionSchema>[] {
  const currentKey = current && keyOf(current.id)
  return sessions.map(({ key, createdAt, lastSeenAt, address, userAgent }) => ({
    key,
    current: key === currentKey,
    createdAt: createdAt.toISOString(),
    lastSeenAt: lastSeenAt.toISOString(),
    address,
    userAgent,
  }))
}
