import { Router } from 'express'
import type { WebDependencies } from '../../dependencies.js'
import { actorOf } from '../../page/actor.js'
import { flash } from '../../page/flash.js'
import { submit, textsOf } from '../../page/form.js'
import { requireVisitor, visitorOf } from '../../page/visitor.js'

/** The own password on a server, where the permission lets its user enter it. */
export function remotePasswordRoutes({ permissions }: Pick<WebDependencies, 'permissions'>): Router {
  const router = Router()
  router.post('/dashboard/permissions/:id/password', requireVisitor, async (request, response) => {
    const { remotePassword = '' } = textsOf(request.body)
    const { userId } = visitorOf(request)
    const id = Number(request.params['id'])
    const result = await submit(request.body, () =>
      permissions.setOwnCredentials(userId, id, { password: remotePassword }, actorOf(request)),
    )
    if (result.done) {
      flash(request, { kind: 'success', text: `The password for ${result.value.alias} is stored. It is tried now.` })
    } else {
      const { message, problems } = result.form
      const text = message ?? `Not stored: the password ${Object.values(problems).join('; ')}.`
      flash(request, { kind: 'danger', text })
    }
    response.redirect(303, '/dashboard')
  })
  return router
}
