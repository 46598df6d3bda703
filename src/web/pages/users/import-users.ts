import { Router } from 'express'
import type { WebDependencies } from '../../dependencies.js'
import { actorOf } from '../../page/actor.js'
import { flash } from '../../page/flash.js'
import { EMPTY_FORM, submit, textsOf } from '../../page/form.js'
import { page } from '../../page/page.js'
import { requireAdmin } from '../../page/visitor.js'
import { save } from '../../session/session.js'
import { importUsers } from './user-rows.js'

const TITLE = 'Import users'

/** `GET` and `POST /users/import`: users from a CSV text; all of them or none. */
export function importUsersRoutes({ users }: Pick<WebDependencies, 'users'>): Router {
  const router = Router()
  const show = { title: TITLE, scripts: ['csv-file'] }
  router.get('/users/import', requireAdmin, async (request, response) => {
    await page(request, response, 'users/import', { ...show, form: EMPTY_FORM })
  })
  router.post('/users/import', requireAdmin, async (request, response) => {
    const { rows = '' } = textsOf(request.body)
    const result = await submit(request.body, () => importUsers(users, rows, actorOf(request)))
    if (!result.done) {
      // What was written holds passwords: it is not sent back.
      await page(request, response, 'users/import', { ...show, form: { ...result.form, values: {} } }, 422)
      return
    }
    const count = result.value
    flash(request, { kind: 'success', text: count === 1 ? 'One user was created.' : `${count} users were created.` })
    await save(request)
    response.redirect(303, '/users')
  })
  return router
}
