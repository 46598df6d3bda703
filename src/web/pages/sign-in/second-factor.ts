import { Router, type Request } from 'express'
import type { WebDependencies } from '../../dependencies.js'
import { textsOf, type FormState } from '../../page/form.js'
import { safeNext } from '../../page/origin.js'
import { page } from '../../page/page.js'
import { endSession } from '../../session/session.js'
import { enter } from './enter.js'
import { showLogin } from './login.js'

type Dependencies = Pick<WebDependencies, 'authenticator' | 'logins' | 'secondFactor' | 'users'>

/** So long after the right password the code may come. */
const PATIENCE = 10 * 60_000

/** The second step of a login: a code of the authenticator app, or a recovery code. Nothing else is open before it. */
export function secondFactorRoutes({ authenticator, logins, secondFactor, users }: Dependencies): Router {
  const router = Router()

  router.get('/login/second-factor', async (request, response) => {
    const next = safeNext(request.query['next'])
    if (!pendingOf(request)) response.redirect(303, loginWith(next))
    else await page(request, response, 'sign-in/second-factor', { title: 'Second factor', next })
  })

  router.post('/login/second-factor', async (request, response) => {
    const { code = '', recoveryCode = '', next: wanted } = textsOf(request.body)
    const next = safeNext(wanted)
    const pending = pendingOf(request)
    if (!pending) {
      response.redirect(303, loginWith(next))
      return
    }
    const { userId, authVersion } = pending
    const verdict = await secondFactor.verify(userId, recoveryCode || code, request.ip ?? '')
    if (verdict === 'wrong') {
      const problem = 'is wrong, or was used already'
      const problems = recoveryCode ? { recoveryCode: problem } : { code: problem }
      const form: FormState = { values: {}, problems }
      await page(request, response, 'sign-in/second-factor', { title: 'Second factor', form, next }, 422)
      return
    }
    if (verdict === 'throttled') {
      await endSession(request)
      await showLogin(request, response, { next, message: 'Too many wrong codes. Try again later.' }, 429)
      return
    }
    const result = await authenticator.session(userId, authVersion)
    if (!result.ok) {
      await endSession(request)
      response.redirect(303, loginWith(next))
      return
    }
    const { mustChangePassword } = await users.get(userId)
    await enter(request, response, logins, { user: result.user, mustChangePassword, next })
  })

  return router
}

function pendingOf(request: Request) {
  const { pending } = request.session
  return pending && Date.now() - pending.since < PATIENCE ? pending : undefined
}

function loginWith(next: string): string {
  return next === '/' ? '/login' : `/login?next=${encodeURIComponent(next)}`
}
