import { Router } from 'express'
import { ValidationError } from '../../../errors.js'
import { actorOf } from '../../page/actor.js'
import { flash } from '../../page/flash.js'
import { submit, textsOf } from '../../page/form.js'
import { idOf } from '../../page/request-values.js'
import { requireAdmin } from '../../page/visitor.js'
import { save } from '../../session/session.js'
import { atOwnFields, credentialsIn } from './permission-form.js'
import { showPermission, type PermissionPageDependencies } from './permission-page.js'

/** `POST /permissions/<id>/credentials`: replaces the secret of the login, or forgets it. It is never shown. */
export function permissionCredentialsRoutes(dependencies: PermissionPageDependencies): Router {
  const { permissions } = dependencies
  const router = Router()
  router.post('/permissions/:id/credentials', requireAdmin, async (request, response) => {
    const id = idOf(request)
    const texts = textsOf(request.body)
    const forget = texts.forget === 'on'
    const result = await submit(request.body, async () => {
      const given = forget ? {} : credentialsIn(texts)
      if (given === undefined) throw new ValidationError([{ field: 'password', message: 'is required' }])
      return permissions.setCredentials(id, given, actorOf(request))
    })
    if (!result.done) {
      await showPermission(request, response, dependencies, id, { credentials: atOwnFields(result.form) })
      return
    }
    flash(request, { kind: 'success', text: forget ? 'The login was forgotten.' : 'The login was stored.' })
    await save(request)
    response.redirect(303, `/permissions/${id}`)
  })
  return router
}
