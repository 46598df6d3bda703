import { Router, type Request } from 'express'
import { ValidationError, type Problem } from '../../../errors.js'
import type { WebDependencies } from '../../dependencies.js'
import { actorOf } from '../../page/actor.js'
import { flash } from '../../page/flash.js'
import { EMPTY_FORM, submit, textsOf, type FormState } from '../../page/form.js'
import { page } from '../../page/page.js'
import { knownVisitor, visitorOf } from '../../page/visitor.js'
import { confirmPassword } from '../account/confirm-password.js'
import { renewSession } from '../account/renew-session.js'

type Dependencies = Pick<WebDependencies, 'authenticator' | 'users' | 'sessions'>

/** A new password: when its user wants one, or has to before anything else. */
export function passwordRoutes({ authenticator, users, sessions }: Dependencies): Router {
  const router = Router()

  const show = (request: Request, form: FormState = EMPTY_FORM) => {
    const forced = request.session.mustChangePassword === true
    const { username } = visitorOf(request)
    // No menu: its pages are closed until then.
    return { title: 'Change password', forced, username, form, ...(forced ? { visitor: undefined } : {}) }
  }

  router.use('/password', (request, response, next) => {
    if (knownVisitor(request)) next()
    else response.redirect(303, '/login')
  })

  router.get('/password', (request, response) => page(request, response, 'sign-in/password', show(request)))

  router.post('/password', async (request, response) => {
    const { currentPassword = '', password = '', passwordAgain = '' } = textsOf(request.body)
    const forced = request.session.mustChangePassword === true
    const { userId } = visitorOf(request)
    const actor = actorOf(request)
    const result = await submit(request.body, async () => {
      const problems: Problem[] = []
      if (password !== passwordAgain) problems.push({ field: 'passwordAgain', message: 'is not the same' })
      if (password === currentPassword) problems.push({ field: 'password', message: 'must be another one' })
      if (problems.length > 0) throw new ValidationError(problems)
      await confirmPassword(authenticator, request, currentPassword, 'currentPassword')
      await users.setPassword(userId, password, actor)
    })
    if (!result.done) {
      await page(request, response, 'sign-in/password', show(request, result.form), 422)
      return
    }
    const { authVersion } = await users.get(userId)
    await renewSession(request, sessions, authVersion)
    flash(request, { kind: 'success', text: 'Your password is changed. All other sessions have ended.' })
    response.redirect(303, forced ? '/dashboard' : '/account')
  })

  return router
}
