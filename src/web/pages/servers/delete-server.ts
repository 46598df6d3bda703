import { Router } from 'express'
import type { WebDependencies } from '../../dependencies.js'
import { actorOf } from '../../page/actor.js'
import { flash } from '../../page/flash.js'
import { page } from '../../page/page.js'
import { idOf } from '../../page/request-values.js'
import { requireAdmin } from '../../page/visitor.js'
import { save } from '../../session/session.js'

/** `GET` and `POST /servers/<id>/delete`: asks, then does. */
export function deleteServerRoutes({ servers, permissions }: Pick<WebDependencies, 'servers' | 'permissions'>): Router {
  const router = Router()
  router.get('/servers/:id/delete', requireAdmin, async (request, response) => {
    const server = await servers.get(idOf(request))
    const granted = await permissions.list({ serverId: server.id })
    await page(request, response, 'servers/delete', { title: `Delete ${server.alias}`, server, granted })
  })
  router.post('/servers/:id/delete', requireAdmin, async (request, response) => {
    const { id, alias } = await servers.get(idOf(request))
    await servers.remove(id, actorOf(request))
    flash(request, { kind: 'success', text: `The server ${alias} was deleted. Its files are untouched.` })
    await save(request)
    response.redirect(303, '/servers')
  })
  return router
}
