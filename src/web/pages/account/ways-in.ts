import type { ApiToken } from '../../../auth/api-tokens.js'
import type { AppPassword } from '../../../auth/app-passwords.js'
import { keyOf, type SessionInfo } from '../../../auth/sessions.js'
import type { WebDependencies } from '../../dependencies.js'
import { deviceOf } from './device.js'

export type WaysInDependencies = Pick<WebDependencies, 'permissions' | 'appPasswords' | 'apiTokens' | 'sessions'>

/** By what somebody can get in as a user, besides the password. */
export interface WaysIn {
  readonly appPasswords: readonly AppPassword[]
  readonly apiTokens: readonly ApiToken[]
  readonly sessions: readonly (SessionInfo & { readonly device: string; readonly current: boolean })[]
  /** Names the servers that a secret is limited to. */
  readonly serversText: (ids: readonly number[] | undefined) => string
}

/** @param sessionId of the visitor who looks */
export async function waysInOf(
  { permissions, appPasswords, apiTokens, sessions }: WaysInDependencies,
  userId: number,
  sessionId: string,
): Promise<WaysIn> {
  const permitted = await permissions.list({ userId })
  const aliases = new Map(permitted.map(({ serverId, alias }) => [serverId, alias]))
  const current = keyOf(sessionId)
  return {
    appPasswords: await appPasswords.list(userId),
    apiTokens: await apiTokens.list(userId),
    sessions: (await sessions.list(userId)).map((session) => ({
      ...session,
      device: deviceOf(session.userAgent),
      current: session.key === current,
    })),
    serversText: (ids) =>
      ids === undefined ? 'all servers' : ids.map((id) => aliases.get(id) ?? `server ${id}`).join(', '),
  }
}
