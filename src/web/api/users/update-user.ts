import { z } from 'zod'
import { role } from '../../../users/user-input.js'
import { idParams } from '../input-values.js'
import { operation } from '../operation.js'
import { changeUser } from './change-user.js'
import { userSchema } from './user-resource.js'

export const updateUser = operation({
  id: 'users.update',
  method: 'PATCH',
  path: '/users/{id}',
  summary: 'Change, disable or enable a user',
  description:
    'What is open under the old role, or by a user who is disabled, ends at once. The last active admin stays one.',
  scope: 'admin:write',
  params: idParams,
  body: z.strictObject({ role: role.optional(), disabled: z.boolean().optional() }),
  example: { disabled: true },
  etag: true,
  responses: { 200: { description: 'The user as it is now.', body: userSchema } },
  errors: [409],
  handle: (call) => changeUser(call, call.body),
})
