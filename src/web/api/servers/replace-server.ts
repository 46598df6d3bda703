import { ValidationError } from '../../../errors.js'
import { DEFAULT_PORTS } from '../../../servers/server-input.js'
import { idParams } from '../input-values.js'
import { operation } from '../operation.js'
import { changeServer } from './change-server.js'
import { newServerBody, serverSchema } from './server-resource.js'

export const replaceServer = operation({
  id: 'servers.replace',
  method: 'PUT',
  path: '/servers/{id}',
  summary: 'Set everything about a server',
  description:
    'What is not given goes to its default. Only the admin password, which cannot be read, stays when it is left out; null takes it away.',
  scope: 'admin:write',
  params: idParams,
  body: newServerBody,
  example: { alias: 'archive', protocol: 'sftp', host: 'files.example.com', trust: { firstUse: true } },
  etag: true,
  responses: { 200: { description: 'The server as it is now.', body: serverSchema } },
  errors: [409],
  handle(call) {
    const { trust, ...fields } = call.body
    if (trust === undefined && fields.protocol !== 'ftp') {
      throw new ValidationError([{ field: 'trust', message: `is required for ${fields.protocol}` }])
    }
    return changeServer(call, {
      ...fields,
      ...(trust && { trust }),
      port: fields.port ?? DEFAULT_PORTS[fields.protocol],
      adminUser: fields.adminUser ?? null,
      limits: {
        maxConnections: fields.limits?.maxConnections ?? null,
        maxConnectionsPerAccount: fields.limits?.maxConnectionsPerAccount ?? null,
      },
      encoding: fields.encoding ?? 'utf8',
      homes: fields.homes ?? 'auto',
      upload: fields.upload ?? 'auto',
    })
  },
})
