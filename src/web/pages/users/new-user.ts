import { Router } from 'express'
import type { Role } from '../../../users/user-input.js'
import type { WebDependencies } from '../../dependencies.js'
import { actorOf } from '../../page/actor.js'
import { flash } from '../../page/flash.js'
import { formOf, submit, textsOf } from '../../page/form.js'
import { page } from '../../page/page.js'
import { requireAdmin } from '../../page/visitor.js'
import { save } from '../../session/session.js'

const TITLE = 'New user'

/** `GET /users/new` and `POST /users`. */
export function newUserRoutes({ users }: Pick<WebDependencies, 'users'>): Router {
  const router = Router()
  router.get('/users/new', requireAdmin, async (request, response) => {
    await page(request, response, 'users/new', { title: TITLE, form: formOf({ role: 'user', mustChange: 'on' }) })
  })
  router.post('/users', requireAdmin, async (request, response) => {
    const { username = '', password = '', role, mustChange } = textsOf(request.body)
    const result = await submit(request.body, () =>
      users.create(
        { username: username.trim(), password, role: role as Role, mustChangePassword: mustChange === 'on' },
        actorOf(request),
      ),
    )
    if (!result.done) {
      await page(request, response, 'users/new', { title: TITLE, form: result.form }, 422)
      return
    }
    flash(request, { kind: 'success', text: `The user ${result.value.username} was created. Grant a server next.` })
    await save(request)
    response.redirect(303, `/users/${result.value.id}`)
  })
  return router
}
