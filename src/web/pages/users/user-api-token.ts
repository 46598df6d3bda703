import { Router } from 'express'
import type { WebDependencies } from '../../dependencies.js'
import { actorOf } from '../../page/actor.js'
import { flash } from '../../page/flash.js'
import { idOf } from '../../page/request-values.js'
import { requireAdmin } from '../../page/visitor.js'
import { save } from '../../session/session.js'

/** `POST /users/<id>/api-tokens/<tokenId>/revoke`. */
export function userApiTokenRoutes({ apiTokens }: Pick<WebDependencies, 'apiTokens'>): Router {
  const router = Router()
  router.post('/users/:id/api-tokens/:tokenId/revoke', requireAdmin, async (request, response) => {
    const id = idOf(request)
    await apiTokens.revoke(id, idOf(request, 'tokenId'), actorOf(request))
    flash(request, { kind: 'success', text: 'The API token is revoked; what used it is cut off.' })
    await save(request)
    response.redirect(303, `/users/${id}#api-tokens`)
  })
  return router
}
