import { Router } from 'express'
import type { Request, Response } from 'express'
import type { WebDependencies } from '../../dependencies.js'
import { actorOf } from '../../page/actor.js'
import { flash } from '../../page/flash.js'
import { submit, textsOf, type FormState } from '../../page/form.js'
import { page } from '../../page/page.js'
import { idOf } from '../../page/request-values.js'
import { requireAdmin } from '../../page/visitor.js'
import { save } from '../../session/session.js'
import { atTrustField, serverChangesOf, serverFormOf } from './server-form.js'

/** `GET` and `POST /servers/<id>/edit`. */
export function editServerRoutes({ servers }: Pick<WebDependencies, 'servers'>): Router {
  const router = Router()
  const show = async (request: Request, response: Response, refused?: FormState) => {
    const server = await servers.get(idOf(request))
    const data = { server, form: refused ?? serverFormOf(server), scripts: ['server-form'] }
    await page(request, response, 'servers/edit', { title: `Edit ${server.alias}`, ...data }, refused ? 422 : 200)
  }
  router.get('/servers/:id/edit', requireAdmin, (request, response) => show(request, response))
  router.post('/servers/:id/edit', requireAdmin, async (request, response) => {
    const before = await servers.get(idOf(request))
    const texts = textsOf(request.body)
    const result = await submit(request.body, async () =>
      servers.update(before.id, serverChangesOf(texts, before), actorOf(request)),
    )
    if (!result.done) {
      await show(request, response, atTrustField(result.form))
      return
    }
    const { server, changed } = result.value
    const text = changed.length === 0 ? 'Nothing was changed.' : `The server ${server.alias} was changed.`
    flash(request, { kind: changed.length === 0 ? 'info' : 'success', text })
    await save(request)
    const unknown = server.trust.kind === 'first-use'
    response.redirect(303, unknown ? `/servers/${server.id}/trust` : `/servers/${server.id}`)
  })
  return router
}
