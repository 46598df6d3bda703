import { Router } from 'express'
import type { WebDependencies } from '../../dependencies.js'
import { actorOf } from '../../page/actor.js'
import { flash } from '../../page/flash.js'
import { requireVisitor, visitorOf } from '../../page/visitor.js'

/** Ends sessions of the visitor, here or in other browsers. */
export function sessionsRoutes({ sessions }: Pick<WebDependencies, 'sessions'>): Router {
  const router = Router()

  router.post('/account/sessions/end-others', requireVisitor, async (request, response) => {
    const ended = await sessions.endOthers(visitorOf(request).userId, request.sessionID, actorOf(request))
    const text = ended === 1 ? 'One other session has ended.' : `${ended} other sessions have ended.`
    flash(request, { kind: 'success', text })
    response.redirect(303, '/account#sessions')
  })

  router.post('/account/sessions/:key/end', requireVisitor, async (request, response) => {
    await sessions.end(visitorOf(request).userId, String(request.params['key']), actorOf(request))
    flash(request, { kind: 'success', text: 'The session has ended.' })
    response.redirect(303, '/account#sessions')
  })

  return router
}
