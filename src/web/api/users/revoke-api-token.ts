import { noContent } from '../answers.js'
import { id, idParams } from '../input-values.js'
import { operation } from '../operation.js'

export const revokeApiTokenOfUser = operation({
  id: 'users.apiTokens.revoke',
  method: 'DELETE',
  path: '/users/{id}/api-tokens/{tokenId}',
  summary: 'Revoke an API token of a user',
  description: 'What is under way with it ends.',
  scope: 'admin:write',
  params: idParams.extend({ tokenId: id }),
  responses: { 204: { description: 'It is no good any more.' } },
  async handle({ params, actor, services }) {
    await services.auth.apiTokens.revoke(params.id, params.tokenId, actor)
    return noContent()
  },
})
