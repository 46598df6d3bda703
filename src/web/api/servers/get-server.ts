import { ok } from '../answers.js'
import { idParams } from '../input-values.js'
import { operation } from '../operation.js'
import { serverSchema, tagOfServer, viewOfServer } from './server-resource.js'

export const getServer = operation({
  id: 'servers.get',
  method: 'GET',
  path: '/servers/{id}',
  summary: 'Get a server',
  scope: 'admin:read',
  params: idParams,
  etag: true,
  responses: { 200: { description: 'The server.', body: serverSchema } },
  async handle({ params, services }) {
    const server = await services.servers.get(params.id)
    return ok(viewOfServer(server), { etag: tagOfServer(server) })
  },
})
