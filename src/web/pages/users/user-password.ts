import { Router } from 'express'
import { actorOf } from '../../page/actor.js'
import { flash } from '../../page/flash.js'
import { submit, textsOf } from '../../page/form.js'
import { idOf } from '../../page/request-values.js'
import { requireAdmin } from '../../page/visitor.js'
import { save } from '../../session/session.js'
import { showUser, type UserPageDependencies } from './user-page.js'

/** `POST /users/<id>/password`: a new one, which the user changes at the next login unless said otherwise. */
export function userPasswordRoutes(dependencies: UserPageDependencies): Router {
  const router = Router()
  router.post('/users/:id/password', requireAdmin, async (request, response) => {
    const id = idOf(request)
    const { password = '', mustChange } = textsOf(request.body)
    const options = { mustChange: mustChange === 'on' }
    const result = await submit(request.body, () =>
      dependencies.users.setPassword(id, password, actorOf(request), options),
    )
    if (!result.done) {
      await showUser(request, response, dependencies, id, { password: result.form })
      return
    }
    flash(request, { kind: 'success', text: 'The password was set. Everything open under the old one has ended.' })
    await save(request)
    response.redirect(303, `/users/${id}`)
  })
  return router
}
