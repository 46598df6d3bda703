import { Router } from 'express'
import { actorOf } from '../../page/actor.js'
import { flash } from '../../page/flash.js'
import { idOf } from '../../page/request-values.js'
import { requireAdmin } from '../../page/visitor.js'
import type { WebDependencies } from '../../dependencies.js'
import { save } from '../../session/session.js'

/** `POST /users/<id>/sessions/end`: all of them; of the visitor's own, the one that asks stays. */
export function userSessionsRoutes({ users, sessions }: Pick<WebDependencies, 'users' | 'sessions'>): Router {
  const router = Router()
  router.post('/users/:id/sessions/end', requireAdmin, async (request, response) => {
    const { id } = await users.get(idOf(request))
    const ended = await sessions.endOthers(id, request.sessionID, actorOf(request))
    flash(request, { kind: 'success', text: ended === 1 ? 'One session has ended.' : `${ended} sessions have ended.` })
    await save(request)
    response.redirect(303, `/users/${id}#sessions`)
  })
  return router
}
