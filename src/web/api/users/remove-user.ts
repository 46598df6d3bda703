import { noContent } from '../answers.js'
import { idParams } from '../input-values.js'
import { operation } from '../operation.js'
import { tagOfUser } from './user-resource.js'

export const removeUser = operation({
  id: 'users.remove',
  method: 'DELETE',
  path: '/users/{id}',
  summary: 'Remove a user',
  description: 'Permissions, sessions, app passwords and tokens go too. The last active admin cannot be removed.',
  scope: 'admin:write',
  params: idParams,
  etag: true,
  responses: { 204: { description: 'The user is gone.' } },
  errors: [409],
  async handle({ params, actor, services, match }) {
    await services.change(async (transaction) => {
      match(tagOfUser(await services.users.get(params.id, transaction)))
      await services.users.remove(params.id, actor, transaction)
    })
    return noContent()
  },
})
