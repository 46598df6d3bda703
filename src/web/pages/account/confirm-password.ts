import type { Request } from 'express'
import { ValidationError } from '../../../errors.js'
import type { WebDependencies } from '../../dependencies.js'
import { visitorOf } from '../../page/visitor.js'

/**
 * For what needs more than an open session: the visitor's password, judged by the limits of a login.
 * @throws ValidationError
 */
export async function confirmPassword(
  authenticator: WebDependencies['authenticator'],
  request: Request,
  password: string,
  field: string,
): Promise<void> {
  const { username } = visitorOf(request)
  const result = await authenticator.password(username, password, request.ip ?? '', { secondFactor: 'report' })
  if (result.ok) return
  const message = result.reason === 'rejected' ? 'is wrong' : 'cannot be checked now: try again later'
  throw new ValidationError([{ field, message }])
}
