import { noContent } from '../answers.js'
import { idParams } from '../input-values.js'
import { operation } from '../operation.js'
import { tagOfPermission } from './permission-resource.js'

export const revokePermission = operation({
  id: 'permissions.revoke',
  method: 'DELETE',
  path: '/permissions/{id}',
  summary: 'Revoke a permission',
  description: 'What the user is doing there ends at once.',
  scope: 'admin:write',
  params: idParams,
  etag: true,
  responses: { 204: { description: 'It is gone.' } },
  async handle({ params, actor, services, match }) {
    await services.change(async (transaction) => {
      match(tagOfPermission(await services.permissions.get(params.id, transaction)))
      await services.permissions.revoke(params.id, actor, transaction)
    })
    return noContent()
  },
})
