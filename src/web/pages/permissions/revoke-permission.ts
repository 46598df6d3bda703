import { Router } from 'express'
import type { WebDependencies } from '../../dependencies.js'
import { actorOf } from '../../page/actor.js'
import { flash } from '../../page/flash.js'
import { page } from '../../page/page.js'
import { idOf } from '../../page/request-values.js'
import { requireAdmin } from '../../page/visitor.js'
import { save } from '../../session/session.js'

/** `GET` and `POST /permissions/<id>/revoke`: asks, then does. */
export function revokePermissionRoutes({ permissions }: Pick<WebDependencies, 'permissions'>): Router {
  const router = Router()
  router.get('/permissions/:id/revoke', requireAdmin, async (request, response) => {
    const permission = await permissions.get(idOf(request))
    await page(request, response, 'permissions/revoke', { title: 'Revoke the permission', permission })
  })
  router.post('/permissions/:id/revoke', requireAdmin, async (request, response) => {
    const { id, userId, username, alias } = await permissions.get(idOf(request))
    await permissions.revoke(id, actorOf(request))
    flash(request, { kind: 'success', text: `${username} may no longer use ${alias}.` })
    await save(request)
    response.redirect(303, `/users/${userId}`)
  })
  return router
}
