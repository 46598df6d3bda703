import { Router } from 'express'
import type { WebDependencies } from '../../dependencies.js'
import { csvLine, sendCsv } from '../../page/csv.js'
import { requireAdmin } from '../../page/visitor.js'

/** `GET /users.csv`: everybody, without anything secret. */
export function exportUsersRoutes({ users }: Pick<WebDependencies, 'users'>): Router {
  const router = Router()
  router.get('/users.csv', requireAdmin, async (_request, response) => {
    const head = csvLine(['username', 'role', 'state', 'second factor', 'last login', 'created'])
    const lines = (await users.list()).map((user) =>
      csvLine([
        user.username,
        user.role,
        user.disabled ? 'disabled' : 'active',
        user.hasSecondFactor ? 'on' : 'off',
        user.lastLoginAt,
        user.createdAt,
      ]),
    )
    sendCsv(response, 'users', [head, ...lines])
  })
  return router
}
