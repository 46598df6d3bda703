import { Router } from 'express'
import { actorOf } from '../../page/actor.js'
import { flash } from '../../page/flash.js'
import { submit, textsOf } from '../../page/form.js'
import { idOf } from '../../page/request-values.js'
import { requireAdmin } from '../../page/visitor.js'
import { save } from '../../session/session.js'
import { showUser, type UserPageDependencies } from './user-page.js'

/** `POST /users/<id>/state`: lets somebody in or keeps them out. */
export function userStateRoutes(dependencies: UserPageDependencies): Router {
  const router = Router()
  router.post('/users/:id/state', requireAdmin, async (request, response) => {
    const id = idOf(request)
    const disabled = textsOf(request.body).state === 'disabled'
    const result = await submit(request.body, () => dependencies.users.setDisabled(id, disabled, actorOf(request)))
    if (!result.done) {
      await showUser(request, response, dependencies, id, { state: result.form })
      return
    }
    const { username } = result.value
    const text = disabled
      ? `${username} is disabled: every session and drive has ended.`
      : `${username} may log in again.`
    flash(request, { kind: 'success', text })
    await save(request)
    response.redirect(303, `/users/${id}`)
  })
  return router
}
