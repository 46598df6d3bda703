import { Router } from 'express'
import { ValidationError, type Problem } from '../../../errors.js'
import { signalOf } from '../../../http/request-signal.js'
import type { WebDependencies } from '../../dependencies.js'
import { actorOf } from '../../page/actor.js'
import { flash } from '../../page/flash.js'
import { EMPTY_FORM, submit, textsOf } from '../../page/form.js'
import { page } from '../../page/page.js'
import { requireAdmin } from '../../page/visitor.js'
import { save } from '../../session/session.js'
import { importUsers, MAX_IMPORTED_USERS, type ImportedUsers } from '../../user-import.js'

const TITLE = 'Import users'
/** Problems that are told at once. */
const MOST_PROBLEMS = 5

type Dependencies = Pick<WebDependencies, 'users' | 'change' | 'hashPassword'>

/** `GET` and `POST /users/import`: users from a CSV text; all of them or none. */
export function importUsersRoutes(dependencies: Dependencies): Router {
  const router = Router()
  const show = { title: TITLE, scripts: ['csv-file'], most: MAX_IMPORTED_USERS }
  router.get('/users/import', requireAdmin, async (request, response) => {
    await page(request, response, 'users/import', { ...show, form: EMPTY_FORM })
  })
  router.post('/users/import', requireAdmin, async (request, response) => {
    const { rows = '' } = textsOf(request.body)
    const options = { actor: actorOf(request), signal: signalOf(request, response), mustChangePassword: true }
    const result = await submit(request.body, () =>
      importUsers(rows, dependencies, options).catch((error: unknown) => {
        throw error instanceof ValidationError ? onRows(error.problems) : error
      }),
    )
    if (!result.done) {
      // What was written holds passwords: it is not sent back.
      await page(request, response, 'users/import', { ...show, form: { ...result.form, values: {} } }, 422)
      return
    }
    flash(request, { kind: 'success', text: told(result.value) })
    await save(request)
    response.redirect(303, '/users')
  })
  return router
}

/** The form has one field: `line 3.username` becomes `line 3: username …` there. */
function onRows(problems: readonly Problem[]): ValidationError {
  const lines = problems.slice(0, MOST_PROBLEMS).map(({ field, message }) => {
    const [, line, name] = /^(line \d+)\.(.*)$/.exec(field) ?? []
    if (line !== undefined) return `${line}: ${name} ${message}`
    return field === 'body' ? message : `${field} ${message}`
  })
  const more = problems.length - lines.length
  const message = [...lines, ...(more > 0 ? [`${more} more`] : [])].join('; ')
  return new ValidationError([{ field: 'rows', message }])
}

function told({ created, changed }: ImportedUsers): string {
  const sentences = [
    { count: created, what: 'created' },
    { count: changed, what: 'changed' },
  ]
    .filter(({ count }) => count > 0)
    .map(({ count, what }) => (count === 1 ? `One user was ${what}.` : `${count} users were ${what}.`))
  return sentences.length > 0 ? sentences.join(' ') : 'Nothing was changed: all is as the lines say.'
}
