import { Router } from 'express'
import type { Request, Response } from 'express'
import type { WebDependencies } from '../../dependencies.js'
import { actorOf } from '../../page/actor.js'
import { flash } from '../../page/flash.js'
import { EMPTY_FORM, submit, type FormState } from '../../page/form.js'
import { page } from '../../page/page.js'
import { idOf } from '../../page/request-values.js'
import { requireAdmin } from '../../page/visitor.js'
import { save } from '../../session/session.js'

/** `GET` and `POST /users/<id>/delete`: asks, then does. */
export function deleteUserRoutes({ users, permissions }: Pick<WebDependencies, 'users' | 'permissions'>): Router {
  const router = Router()
  const ask = async (request: Request, response: Response, form: FormState, status: number) => {
    const user = await users.get(idOf(request))
    const granted = await permissions.list({ userId: user.id })
    await page(request, response, 'users/delete', { title: `Delete ${user.username}`, user, granted, form }, status)
  }
  router.get('/users/:id/delete', requireAdmin, (request, response) => ask(request, response, EMPTY_FORM, 200))
  router.post('/users/:id/delete', requireAdmin, async (request, response) => {
    const { id, username } = await users.get(idOf(request))
    const result = await submit(request.body, () => users.remove(id, actorOf(request)))
    if (!result.done) {
      await ask(request, response, result.form, 422)
      return
    }
    flash(request, { kind: 'success', text: `The user ${username} was deleted.` })
    await save(request)
    response.redirect(303, '/users')
  })
  return router
}
