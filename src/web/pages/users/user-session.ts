import { Router } from 'express'
import type { WebDependencies } from '../../dependencies.js'
import { actorOf } from '../../page/actor.js'
import { flash } from '../../page/flash.js'
import { idOf } from '../../page/request-values.js'
import { requireAdmin } from '../../page/visitor.js'
import { save } from '../../session/session.js'

/** `POST /users/<id>/sessions/<key>/end`. */
export function userSessionRoutes({ sessions }: Pick<WebDependencies, 'sessions'>): Router {
  const router = Router()
  router.post('/users/:id/sessions/:key/end', requireAdmin, async (request, response) => {
    const id = idOf(request)
    await sessions.end(id, String(request.params['key']), actorOf(request))
    flash(request, { kind: 'success', text: 'The session has ended.' })
    await save(request)
    response.redirect(303, `/users/${id}#sessions`)
  })
  return router
}
