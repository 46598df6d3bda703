import { Router } from 'express'
import type { WebDependencies } from '../../dependencies.js'
import { page } from '../../page/page.js'
import { requireAdmin } from '../../page/visitor.js'

/** `GET /servers`. */
export function listServersRoutes({ servers, permissions }: Pick<WebDependencies, 'servers' | 'permissions'>): Router {
  const router = Router()
  router.get('/servers', requireAdmin, async (request, response) => {
    const items = await servers.list()
    const users = new Map<number, number>()
    for (const { serverId } of await permissions.list()) users.set(serverId, (users.get(serverId) ?? 0) + 1)
    await page(request, response, 'servers/list', { title: 'Servers', items, users })
  })
  return router
}
