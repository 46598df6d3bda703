import { Router, type Request, type Response } from 'express'
import { ValidationError } from '../../../errors.js'
import type { WebDependencies } from '../../dependencies.js'
import { EMPTY_FORM, submit, textsOf, type FormState } from '../../page/form.js'
import { page } from '../../page/page.js'
import { enter } from './enter.js'

type Dependencies = Pick<WebDependencies, 'setup' | 'logins'>

/** The first run: who has the link from the log makes the first admin and is logged in. */
export function setupRoutes({ setup, logins }: Dependencies): Router {
  const router = Router()

  router.get('/setup', async (request, response) => {
    const { token } = request.query
    if (!(await setup.needed())) response.redirect(303, '/login')
    else if (typeof token === 'string' && setup.accepts(token)) await show(request, response, token)
    else await page(request, response, 'sign-in/not-set-up', { title: 'Set up' }, 403)
  })

  router.post('/setup', async (request, response) => {
    const { token = '', username = '', password = '', passwordAgain = '' } = textsOf(request.body)
    const result = await submit(request.body, () => {
      if (password !== passwordAgain) throw differ()
      return setup.complete(token, { username: username.trim(), password }, request.ip ?? '')
    })
    if (!result.done) {
      await show(request, response, token, result.form, 422)
      return
    }
    const { id: userId, authVersion, ...user } = result.value
    const who = { userId, username: user.username, authVersion }
    await enter(request, response, logins, { user: who, mustChangePassword: false, next: '/' })
  })

  return router
}

async function show(
  request: Request,
  response: Response,
  token: string,
  form: FormState = EMPTY_FORM,
  status = 200,
): Promise<void> {
  const message = form.problems['token'] === undefined ? form.message : `This link ${form.problems['token']}.`
  const data = { title: 'Welcome', token, form: { ...form, message } }
  await page(request, response, 'sign-in/setup', data, status)
}

function differ(): ValidationError {
  return new ValidationError([{ field: 'passwordAgain', message: 'is not the same' }])
}
