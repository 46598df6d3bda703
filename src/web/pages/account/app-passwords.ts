import { Router, type Request, type Response } from 'express'
import type { WebDependencies } from '../../dependencies.js'
import { actorOf } from '../../page/actor.js'
import { flash } from '../../page/flash.js'
import { EMPTY_FORM, listOf, submit, textsOf, type FormState } from '../../page/form.js'
import { ownOrigin } from '../../page/origin.js'
import { page } from '../../page/page.js'
import { requireVisitor, visitorOf } from '../../page/visitor.js'
import { secretOf } from './secret-form.js'

type Dependencies = Pick<WebDependencies, 'appPasswords' | 'permissions' | 'config'>

/** App passwords of the visitor: made, shown once, revoked. */
export function appPasswordRoutes({ appPasswords, permissions, config }: Dependencies): Router {
  const router = Router()
  const originOf = ownOrigin(config.publicUrl)

  const showForm = async (request: Request, response: Response, form: FormState = EMPTY_FORM, status = 200) => {
    const servers = await permissions.list({ userId: visitorOf(request).userId })
    const chosen = new Set(listOf(request.body, 'servers').map(Number))
    const readOnly = textsOf(request.body)['readOnly'] === 'on'
    const data = { title: 'New app password', form, servers, chosen, readOnly }
    await page(request, response, 'account/new-app-password', data, status)
  }

  router.get('/account/app-passwords/new', requireVisitor, (request, response) => showForm(request, response))

  router.post('/account/app-passwords', requireVisitor, async (request, response) => {
    const { userId } = visitorOf(request)
    const readOnly = textsOf(request.body)['readOnly'] === 'on'
    const wanted = { ...secretOf(request), readOnly }
    const result = await submit(request.body, () => appPasswords.create(userId, wanted, actorOf(request)))
    if (!result.done) {
      await showForm(request, response, result.form, 422)
      return
    }
    const { appPassword, secret } = result.value
    const data = { title: 'App password', name: appPassword.name, secret, origin: originOf(request) }
    await page(request, response, 'account/app-password', data, 201)
  })

  router.post('/account/app-passwords/:id/revoke', requireVisitor, async (request, response) => {
    await appPasswords.revoke(visitorOf(request).userId, Number(request.params['id']), actorOf(request))
    flash(request, { kind: 'success', text: 'The app password is revoked; what used it is cut off.' })
    response.redirect(303, '/account#app-passwords')
  })

  return router
}
