import { Router } from 'express'
import type { WebDependencies } from '../../dependencies.js'
import { actorOf } from '../../page/actor.js'
import { flash } from '../../page/flash.js'
import { idOf } from '../../page/request-values.js'
import { requireAdmin } from '../../page/visitor.js'
import { save } from '../../session/session.js'

/** `POST /users/<id>/app-passwords/<appPasswordId>/revoke`. */
export function userAppPasswordRoutes({ appPasswords }: Pick<WebDependencies, 'appPasswords'>): Router {
  const router = Router()
  router.post('/users/:id/app-passwords/:appPasswordId/revoke', requireAdmin, async (request, response) => {
    const id = idOf(request)
    await appPasswords.revoke(id, idOf(request, 'appPasswordId'), actorOf(request))
    flash(request, { kind: 'success', text: 'The app password is revoked; what used it is cut off.' })
    await save(request)
    response.redirect(303, `/users/${id}#app-passwords`)
  })
  return router
}
