import { Router } from 'express'
import type { WebDependencies } from '../../dependencies.js'
import { page } from '../../page/page.js'
import { requireAdmin } from '../../page/visitor.js'

type Dependencies = Pick<WebDependencies, 'servers' | 'permissions' | 'health'>

/** `GET /servers`: what is registered, and how it is now. */
export function listServersRoutes({ servers, permissions, health }: Dependencies): Router {
  const router = Router()
  router.get('/servers', requireAdmin, async (request, response) => {
    const items = await servers.list()
    const users = new Map<number, number>()
    for (const { serverId } of await permissions.list()) users.set(serverId, (users.get(serverId) ?? 0) + 1)
    const healthOf = (id: number) => health.of(id)
    await page(request, response, 'servers/list', { title: 'Servers', items, users, healthOf })
  })
  return router
}
