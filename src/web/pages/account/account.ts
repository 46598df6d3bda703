import { Router } from 'express'
import type { WebDependencies } from '../../dependencies.js'
import { page } from '../../page/page.js'
import { requireVisitor, visitorOf } from '../../page/visitor.js'
import { waysInOf, type WaysInDependencies } from './ways-in.js'

type Dependencies = Pick<WebDependencies, 'users' | 'secondFactor'> & WaysInDependencies

/** Everything by which somebody can get in as the visitor, and how to end it. */
export function accountRoutes(dependencies: Dependencies): Router {
  const { users, secondFactor } = dependencies
  const router = Router()
  router.get('/account', requireVisitor, async (request, response) => {
    const { userId } = visitorOf(request)
    await page(request, response, 'account/account', {
      title: 'Account',
      user: await users.get(userId),
      recoveryCodesLeft: await secondFactor.recoveryCodesLeft(userId),
      ...(await waysInOf(dependencies, userId, request.sessionID)),
      now: new Date(),
    })
  })
  return router
}
