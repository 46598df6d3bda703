import { Router } from 'express'
import type { WebDependencies } from '../../dependencies.js'
import { actorOf } from '../../page/actor.js'
import { flash } from '../../page/flash.js'
import { textsOf } from '../../page/form.js'
import { idOf } from '../../page/request-values.js'
import { requireAdmin } from '../../page/visitor.js'
import { save } from '../../session/session.js'

/** `POST /servers/<id>/state`: puts a server into everybody's drive or takes it out. */
export function serverStateRoutes({ servers }: Pick<WebDependencies, 'servers'>): Router {
  const router = Router()
  router.post('/servers/:id/state', requireAdmin, async (request, response) => {
    const enabled = textsOf(request.body).state !== 'disabled'
    const { id, alias } = await servers.setEnabled(idOf(request), enabled, actorOf(request))
    const text = enabled ? `${alias} is back in the drives of its users.` : `${alias} is disabled: nobody sees it.`
    flash(request, { kind: 'success', text })
    await save(request)
    response.redirect(303, `/servers/${id}`)
  })
  return router
}
