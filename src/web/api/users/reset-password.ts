import { z } from 'zod'
import { password } from '../../../users/user-input.js'
import { noContent } from '../answers.js'
import { idParams } from '../input-values.js'
import { operation } from '../operation.js'

export const resetPassword = operation({
  id: 'users.resetPassword',
  method: 'PUT',
  path: '/users/{id}/password',
  summary: 'Give a user a new password',
  description: 'Everything that is open under the old one ends.',
  scope: 'admin:write',
  params: idParams,
  body: z.strictObject({
    password: password.describe('8 characters to 1024 bytes.'),
    mustChangePassword: z.boolean().default(true).describe('The user has to choose another one at the next login.'),
  }),
  example: { password: 'another long password' },
  responses: { 204: { description: 'It was set.' } },
  async handle({ params, body, actor, services }) {
    await services.users.setPassword(params.id, body.password, actor, { mustChange: body.mustChangePassword })
    return noContent()
  },
})
