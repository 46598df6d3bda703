import { Router } from 'express'
import { actorOf } from '../../page/actor.js'
import { flash } from '../../page/flash.js'
import { submit, textsOf } from '../../page/form.js'
import { idOf } from '../../page/request-values.js'
import { requireAdmin } from '../../page/visitor.js'
import { save } from '../../session/session.js'
import { permissionFieldsOf } from './permission-form.js'
import { showPermission, type PermissionPageDependencies } from './permission-page.js'

/** `GET` and `POST /permissions/<id>`. */
export function editPermissionRoutes(dependencies: PermissionPageDependencies): Router {
  const router = Router()
  router.get('/permissions/:id', requireAdmin, (request, response) =>
    showPermission(request, response, dependencies, idOf(request)),
  )
  router.post('/permissions/:id', requireAdmin, async (request, response) => {
    const id = idOf(request)
    const fields = permissionFieldsOf(textsOf(request.body))
    const result = await submit(request.body, () => dependencies.permissions.update(id, fields, actorOf(request)))
    if (!result.done) {
      await showPermission(request, response, dependencies, id, { fields: result.form })
      return
    }
    const unchanged = result.value.changed.length === 0
    const text = unchanged ? 'Nothing was changed.' : 'The permission was changed.'
    flash(request, { kind: unchanged ? 'info' : 'success', text })
    await save(request)
    response.redirect(303, `/permissions/${id}`)
  })
  return router
}
