import { z } from 'zod'
import { serverChanges } from '../../../servers/server-input.js'
import { idParams } from '../input-values.js'
import { operation } from '../operation.js'
import { changeServer } from './change-server.js'
import { serverSchema } from './server-resource.js'

export const updateServer = operation({
  id: 'servers.update',
  method: 'PATCH',
  path: '/servers/{id}',
  summary: 'Change a server',
  description: 'Changes what is given and leaves the rest; null takes something away. `enabled` switches it on or off.',
  scope: 'admin:write',
  params: idParams,
  body: serverChanges.extend({ enabled: z.boolean().optional() }),
  example: { enabled: false },
  etag: true,
  responses: { 200: { description: 'The server as it is now.', body: serverSchema } },
  errors: [409],
  handle: (call) => changeServer(call, call.body),
})
