import { noContent } from '../answers.js'
import { id, idParams } from '../input-values.js'
import { operation } from '../operation.js'

export const revokeAppPasswordOfUser = operation({
  id: 'users.appPasswords.revoke',
  method: 'DELETE',
  path: '/users/{id}/app-passwords/{appPasswordId}',
  summary: 'Revoke an app password of a user',
  description: 'What is under way with it ends.',
  scope: 'admin:write',
  params: idParams.extend({ appPasswordId: id }),
  responses: { 204: { description: 'It is no good any more.' } },
  async handle({ params, actor, services }) {
    await services.auth.appPasswords.revoke(params.id, params.appPasswordId, actor)
    return noContent()
  },
})
