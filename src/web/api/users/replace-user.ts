import { z } from 'zod'
import { role } from '../../../users/user-input.js'
import { idParams } from '../input-values.js'
import { operation } from '../operation.js'
import { changeUser } from './change-user.js'
import { userSchema } from './user-resource.js'

export const replaceUser = operation({
  id: 'users.replace',
  method: 'PUT',
  path: '/users/{id}',
  summary: 'Set everything about a user but name and password',
  scope: 'admin:write',
  params: idParams,
  body: z.strictObject({ role, disabled: z.boolean() }),
  example: { role: 'user', disabled: false },
  etag: true,
  responses: { 200: { description: 'The user as it is now.', body: userSchema } },
  errors: [409],
  handle: (call) => changeUser(call, call.body),
})
