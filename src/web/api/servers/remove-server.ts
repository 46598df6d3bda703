import { noContent } from '../answers.js'
import { idParams } from '../input-values.js'
import { operation } from '../operation.js'
import { tagOfServer } from './server-resource.js'

export const removeServer = operation({
  id: 'servers.remove',
  method: 'DELETE',
  path: '/servers/{id}',
  summary: 'Remove a server',
  description: 'The permissions on it go too. Nothing is changed on the server itself.',
  scope: 'admin:write',
  params: idParams,
  etag: true,
  responses: { 204: { description: 'It is gone.' } },
  async handle({ params, actor, services, match }) {
    await services.change(async (transaction) => {
      match(tagOfServer(await services.servers.get(params.id, transaction)))
      await services.servers.remove(params.id, actor, transaction)
    })
    return noContent()
  },
})
