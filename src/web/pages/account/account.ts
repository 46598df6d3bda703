import { Router } from 'express'
import type { WebDependencies } from '../../dependencies.js'
import { page } from '../../page/page.js'
import { requireVisitor, visitorOf } from '../../page/visitor.js'
import { deviceOf } from './device.js'

type Dependencies = Pick<
  WebDependencies,
  'users' | 'permissions' | 'secondFactor' | 'appPasswords' | 'apiTokens' | 'sessions'
>

/** Everything by which somebody can get in as the visitor, and how to end it. */
export function accountRoutes(dependencies: Dependencies): Router {
  const { users, permissions, secondFactor, appPasswords, apiTokens, sessions } = dependencies
  const router = Router()
  router.get('/account', requireVisitor, async (request, response) => {
    const { userId } = visitorOf(request)
    const permitted = await permissions.list({ userId })
    const aliases = new Map(permitted.map(({ serverId, alias }) => [serverId, alias]))
    const own = await sessions.load(request.sessionID)
    const open = await sessions.list(userId)
    await page(request, response, 'account/account', {
      title: 'Account',
      user: await users.get(userId),
      recoveryCodesLeft: await secondFactor.recoveryCodesLeft(userId),
      appPasswords: await appPasswords.list(userId),
      apiTokens: await apiTokens.list(userId),
      sessions: open.map((session) => ({
        ...session,
        device: deviceOf(session.userAgent),
        current: session.key === own?.key,
      })),
      now: new Date(),
      serversText: (ids: readonly number[] | undefined) =>
        ids === undefined ? 'all servers' : ids.map((id) => aliases.get(id) ?? `server ${id}`).join(', '),
    })
  })
  return router
}
