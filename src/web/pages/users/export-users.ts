import { Router } from 'express'
import type { WebDependencies } from '../../dependencies.js'
import { sendCsv } from '../../page/csv.js'
import { requireAdmin } from '../../page/visitor.js'
import { exportedUsers } from '../../user-export.js'

/** `GET /users.csv`: everybody, without anything secret; the import takes it as it is. */
export function exportUsersRoutes({ users }: Pick<WebDependencies, 'users'>): Router {
  const router = Router()
  router.get('/users.csv', requireAdmin, async (_request, response) => {
    const lines: string[] = []
    for await (const line of exportedUsers(users)) lines.push(line)
    sendCsv(response, 'users', lines)
  })
  return router
}
