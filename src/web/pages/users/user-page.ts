import type { Request, Response } from 'express'
import type { WebDependencies } from '../../dependencies.js'
import { EMPTY_FORM, type FormState } from '../../page/form.js'
import { page } from '../../page/page.js'
import { visitorOf } from '../../page/visitor.js'
import { waysInOf, type WaysInDependencies } from '../account/ways-in.js'

export type UserPageDependencies = Pick<WebDependencies, 'users' | 'permissions'> & WaysInDependencies

/** Which of the forms on the page was refused, and why. */
export interface UserPageForms {
  readonly role?: FormState
  readonly password?: FormState
  readonly state?: FormState
}

/** Everything about one user, on one page with a form for each change. @throws UnknownObjectError */
export async function showUser(
  request: Request,
  response: Response,
  dependencies: UserPageDependencies,
  id: number,
  forms: UserPageForms = {},
): Promise<void> {
  const { users, permissions } = dependencies
  const user = await users.get(id)
  const granted = await permissions.list({ userId: id })
  const { role = EMPTY_FORM, password = EMPTY_FORM, state = EMPTY_FORM } = forms
  const refused = Object.keys(forms).length > 0
  const data = {
    user,
    granted,
    ...(await waysInOf(dependencies, id, request.sessionID)),
    forms: { role, password, state },
    isSelf: visitorOf(request).userId === id,
    now: new Date(),
  }
  await page(request, response, 'users/user', { title: user.username, ...data }, refused ? 422 : 200)
}
