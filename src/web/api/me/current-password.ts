import { z } from 'zod'
import { ValidationError } from '../../../errors.js'
import { loginAnswer } from '../../../http/login-answer.js'
import type { Call } from '../operation.js'

/** What is asked for again before something that would let others in. */
export const currentPassword = z.string().max(1024).describe('The login password, once more.')

/** @throws ValidationError when it is not the caller's; HttpError 429, 503 */
export async function requirePassword(
  password: string,
  { user, address, services }: Pick<Call<'account'>, 'user' | 'address' | 'services'>,
): Promise<void> {
  const { authenticator } = services.auth
  const result = await authenticator.password(user.username, password, address, { secondFactor: 'report' })
  if (result.ok && result.user.userId === user.userId) return
  if (!result.ok && (result.reason === 'throttled' || result.reason === 'busy')) throw loginAnswer(result)
  throw new ValidationError([{ field: 'currentPassword', message: 'is not your password' }])
}
