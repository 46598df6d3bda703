import { Router } from 'express'
import type { WebDependencies } from '../../dependencies.js'
import { page } from '../../page/page.js'
import { idOf } from '../../page/request-values.js'
import { requireAdmin } from '../../page/visitor.js'

/** `GET /servers/<id>`. */
export function showServerRoutes({ servers, permissions }: Pick<WebDependencies, 'servers' | 'permissions'>): Router {
  const router = Router()
  router.get('/servers/:id', requireAdmin, async (request, response) => {
    const server = await servers.get(idOf(request))
    const granted = await permissions.list({ serverId: server.id })
    await page(request, response, 'servers/server', { title: server.alias, server, granted, now: new Date() })
  })
  return router
}
