import { z } from 'zod'
import { ValidationError } from '../../../errors.js'
import { password } from '../../../users/user-input.js'
import { noContent } from '../answers.js'
import { operation } from '../operation.js'
import { currentPassword, requirePassword } from './current-password.js'

export const changePassword = operation({
  id: 'me.changePassword',
  method: 'PUT',
  path: '/me/password',
  summary: 'Change your password',
  description: 'Everything that is open under the old one ends, save the session that this is done in.',
  scope: 'account',
  beforePasswordChange: true,
  body: z.strictObject({ currentPassword, password: password.describe('8 characters to 1024 bytes.') }),
  example: { currentPassword: 'the password', password: 'a new long password' },
  responses: { 204: { description: 'It was changed.' } },
  async handle(call) {
    const { body, user, actor, services, session } = call
    await requirePassword(body.currentPassword, call)
    if (body.password === body.currentPassword) {
      throw new ValidationError([{ field: 'password', message: 'must not be the old one' }])
    }
    await services.users.setPassword(user.userId, body.password, actor)
    session?.renew((await services.users.get(user.userId)).authVersion)
    return noContent()
  },
})
