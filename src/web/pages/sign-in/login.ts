import { Router, type Request, type Response } from 'express'
import { loginAnswer } from '../../../http/login-answer.js'
import { answerFor } from '../../../http/status.js'
import type { WebDependencies } from '../../dependencies.js'
import { textsOf, type FormState } from '../../page/form.js'
import { safeNext } from '../../page/origin.js'
import { page } from '../../page/page.js'
import { knownVisitor } from '../../page/visitor.js'
import { awaitSecondFactor } from '../../session/session.js'
import { enter } from './enter.js'

type Dependencies = Pick<WebDependencies, 'authenticator' | 'logins' | 'setup'>

/** The same for a name that nobody has and for a wrong password. */
const WRONG = 'Wrong username or password.'

/** The way in: username and password, then the second factor of those who have one. */
export function loginRoutes({ authenticator, logins, setup }: Dependencies): Router {
  const router = Router()

  router.get('/login', async (request, response) => {
    const next = safeNext(request.query['next'])
    if (knownVisitor(request)) response.redirect(303, next)
    else if (await setup.untouched()) await page(request, response, 'sign-in/not-set-up', { title: 'Set up' })
    else await showLogin(request, response, { next })
  })

  router.post('/login', async (request, response, pass) => {
    // Programs send JSON and get a token.
    if (!request.is('urlencoded')) {
      pass('route')
      return
    }
    const { username: typed = '', password = '', next: wanted } = textsOf(request.body)
    // Telephones begin every field with a capital.
    const username = typed.trim().toLowerCase()
    const next = safeNext(wanted)
    const result = await authenticator.password(username, password, request.ip ?? '', { secondFactor: 'report' })
    if (result.ok) {
      const { user, needsSecondFactor, mustChangePassword } = result
      if (needsSecondFactor) {
        await awaitSecondFactor(request, user)
        response.redirect(303, `/login/second-factor?next=${encodeURIComponent(next)}`)
      } else await enter(request, response, logins, { user, mustChangePassword, next })
      return
    }
    const { status, message, headers } = answerFor(loginAnswer(result))
    if (status !== 401) response.set(headers ?? {})
    await showLogin(request, response, { next, username, message: status === 401 ? WRONG : message }, status)
  })

  return router
}

export interface LoginForm {
  readonly next: string
  readonly username?: string
  readonly message?: string
}

export async function showLogin(
  request: Request,
  response: Response,
  { next, username = '', message }: LoginForm,
  status = 200,
): Promise<void> {
  const form: FormState = { values: { username }, problems: {}, message }
  // RFC 9110 section 15.5.2 wants a challenge; browsers show no dialogue for this one.
  if (status === 401) response.set('WWW-Authenticate', 'Bearer realm="FTPCluster"')
  await page(request, response, 'sign-in/login', { title: 'Log in', form, next }, status)
}
