import { created } from '../answers.js'
import { operation } from '../operation.js'
import { newServerBody, serverSchema, tagOfServer, viewOfServer } from './server-resource.js'

export const createServer = operation({
  id: 'servers.create',
  method: 'POST',
  path: '/servers',
  legacyPath: '/servers',
  summary: 'Register a server',
  description:
    'Nothing is connected to. Afterwards test it with servers.test, which records the fingerprint of a first use.',
  scope: 'admin:write',
  body: newServerBody,
  example: { alias: 'archive', protocol: 'sftp', host: 'files.example.com', trust: { firstUse: true } },
  etag: true,
  responses: { 201: { description: 'The server was registered.', body: serverSchema } },
  errors: [409],
  async handle({ body: { enabled, ...fields }, actor, services }) {
    const server = await services.change(async (transaction) => {
      const created = await services.servers.create(fields, actor, transaction)
      return services.servers.setEnabled(created.id, enabled, actor, transaction)
    })
    return created(`/api/v1/servers/${server.id}`, viewOfServer(server), { etag: tagOfServer(server) })
  },
})
