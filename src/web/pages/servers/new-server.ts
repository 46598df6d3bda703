import { Router } from 'express'
import type { WebDependencies } from '../../dependencies.js'
import { actorOf } from '../../page/actor.js'
import { flash } from '../../page/flash.js'
import { formOf, submit, textsOf } from '../../page/form.js'
import { page } from '../../page/page.js'
import { requireAdmin } from '../../page/visitor.js'
import { save } from '../../session/session.js'
import { atTrustField, newServerOf } from './server-form.js'

const SHOW = { title: 'New server', server: undefined, scripts: ['server-form'] }

/** `GET /servers/new` and `POST /servers`. */
export function newServerRoutes({ servers }: Pick<WebDependencies, 'servers'>): Router {
  const router = Router()
  router.get('/servers/new', requireAdmin, async (request, response) => {
    await page(request, response, 'servers/edit', { ...SHOW, form: formOf({ protocol: 'sftp', trust: 'scan' }) })
  })
  router.post('/servers', requireAdmin, async (request, response) => {
    const texts = textsOf(request.body)
    const result = await submit(request.body, async () => servers.create(newServerOf(texts), actorOf(request)))
    if (!result.done) {
      await page(request, response, 'servers/edit', { ...SHOW, form: atTrustField(result.form) }, 422)
      return
    }
    const server = result.value
    flash(request, { kind: 'success', text: `The server ${server.alias} was created.` })
    await save(request)
    response.redirect(303, `/servers/${server.id}/${server.trust.kind === 'first-use' ? 'trust' : 'test'}`)
  })
  return router
}
