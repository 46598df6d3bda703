import { ok } from '../answers.js'
import { idParams } from '../input-values.js'
import { operation } from '../operation.js'
import { tagOfUser, userSchema, viewOfUser } from './user-resource.js'

export const getUser = operation({
  id: 'users.get',
  method: 'GET',
  path: '/users/{id}',
  summary: 'Get a user',
  scope: 'admin:read',
  params: idParams,
  etag: true,
  responses: { 200: { description: 'The user.', body: userSchema } },
  async handle({ params, services }) {
    const user = await services.users.get(params.id)
    return ok(viewOfUser(user), { etag: tagOfUser(user) })
  },
})
