import { trust } from '../../../servers/server-input.js'
import { ok } from '../answers.js'
import { idParams } from '../input-values.js'
import { operation } from '../operation.js'
import { serverSchema, tagOfServer, viewOfServer } from './server-resource.js'

export const trustServer = operation({
  id: 'servers.trust',
  method: 'PUT',
  path: '/servers/{id}/trust',
  summary: 'Say whom to take for this server',
  description:
    'Fingerprints of host keys or certificates, `publicCa`, or `firstUse`: then the next test that logs in records what it sees.',
  scope: 'admin:write',
  params: idParams,
  body: trust,
  example: { fingerprint: 'SHA256:wT3hxqL6Xg0xC2Ul9i7Y7nqkzqkH1oT5rZ8m2bQ4v5s' },
  etag: true,
  responses: { 200: { description: 'The server as it is now.', body: serverSchema } },
  async handle({ params, body, actor, services, match }) {
    const server = await services.change(async (transaction) => {
      match(tagOfServer(await services.servers.get(params.id, transaction)))
      return services.servers.setTrust(params.id, body, actor, transaction)
    })
    return ok(viewOfServer(server), { etag: tagOfServer(server) })
  },
})
