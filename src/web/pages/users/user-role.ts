import { Router } from 'express'
import type { Role } from '../../../users/user-input.js'
import { actorOf } from '../../page/actor.js'
import { flash } from '../../page/flash.js'
import { submit, textsOf } from '../../page/form.js'
import { idOf } from '../../page/request-values.js'
import { requireAdmin } from '../../page/visitor.js'
import { save } from '../../session/session.js'
import { showUser, type UserPageDependencies } from './user-page.js'

/** `POST /users/<id>/role`. */
export function userRoleRoutes(dependencies: UserPageDependencies): Router {
  const router = Router()
  router.post('/users/:id/role', requireAdmin, async (request, response) => {
    const id = idOf(request)
    const role = textsOf(request.body).role as Role
    const result = await submit(request.body, () => dependencies.users.setRole(id, role, actorOf(request)))
    if (!result.done) {
      await showUser(request, response, dependencies, id, { role: result.form })
      return
    }
    const { username } = result.value
    flash(request, {
      kind: 'success',
      text: role === 'admin' ? `${username} is an administrator now.` : `${username} is no administrator any more.`,
    })
    await save(request)
    response.redirect(303, `/users/${id}`)
  })
  return router
}
