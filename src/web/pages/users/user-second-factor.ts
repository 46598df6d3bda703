import { Router } from 'express'
import type { WebDependencies } from '../../dependencies.js'
import { actorOf } from '../../page/actor.js'
import { flash } from '../../page/flash.js'
import { idOf } from '../../page/request-values.js'
import { requireAdmin } from '../../page/visitor.js'
import { save } from '../../session/session.js'

/** `POST /users/<id>/second-factor/reset`: for who lost the app and the recovery codes. */
export function userSecondFactorRoutes({ secondFactor }: Pick<WebDependencies, 'secondFactor'>): Router {
  const router = Router()
  router.post('/users/:id/second-factor/reset', requireAdmin, async (request, response) => {
    const id = idOf(request)
    await secondFactor.reset(id, actorOf(request))
    flash(request, {
      kind: 'success',
      text: 'The second factor was removed. The password alone opens the account now.',
    })
    await save(request)
    response.redirect(303, `/users/${id}`)
  })
  return router
}
