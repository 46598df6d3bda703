import { z } from 'zod'
import { password, role, username } from '../../../users/user-input.js'
import { created } from '../answers.js'
import { operation } from '../operation.js'
import { tagOfUser, userSchema, viewOfUser } from './user-resource.js'

export const createUser = operation({
  id: 'users.create',
  method: 'POST',
  path: '/users',
  legacyPath: '/users',
  summary: 'Make a user',
  scope: 'admin:write',
  body: z.strictObject({
    username,
    password: password.describe('8 characters to 1024 bytes.'),
    role: role.default('user'),
    mustChangePassword: z.boolean().default(false),
  }),
  example: { username: 'bert', password: 'a long first password', mustChangePassword: true },
  etag: true,
  responses: { 201: { description: 'The user was made.', body: userSchema } },
  errors: [409],
  async handle({ body, actor, services }) {
    const user = await services.users.create(body, actor)
    return created(`/api/v1/users/${user.id}`, viewOfUser(user), { etag: tagOfUser(user) })
  },
})
