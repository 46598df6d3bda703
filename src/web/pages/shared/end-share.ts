import { Router } from 'express'
import type { WebDependencies } from '../../dependencies.js'
import { actorOf } from '../../page/actor.js'
import { flash } from '../../page/flash.js'
import { idOf } from '../../page/request-values.js'
import { requireAdmin, requireVisitor, visitorOf } from '../../page/visitor.js'
import { save } from '../../session/session.js'

/**
 * `POST /shared/<id>/end`: by who shares it, or by who was given it and wants it no more. `POST /review/shares/<id>/end`: by
 * an admin, who cannot open it.
 */
export function endShareRoutes({ shares }: Pick<WebDependencies, 'shares'>): Router {
  const router = Router()
  router.post('/shared/:id/end', requireVisitor, async (request, response) => {
    const { userId } = visitorOf(request)
    const share = await shares.get(idOf(request), userId)
    await shares.end(share.id, userId, actorOf(request))
    const own = share.ownerId === userId
    const text = own ? `${share.name} is no longer shared with ${share.recipient}.` : `${share.name} left your list.`
    flash(request, { kind: 'success', text })
    await save(request)
    response.redirect(303, own ? '/shared/by-me' : '/shared')
  })
  router.post('/review/shares/:id/end', requireAdmin, async (request, response) => {
    await shares.end(idOf(request), undefined, actorOf(request))
    flash(request, { kind: 'success', text: 'The share has ended.' })
    await save(request)
    response.redirect(303, '/review#shares')
  })
  return router
}
