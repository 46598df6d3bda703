import { idParams } from '../input-values.js'
import { operation } from '../operation.js'
import { changePermission } from './change-permission.js'
import { permissionChangesBody, permissionSchema } from './permission-resource.js'

export const updatePermission = operation({
  id: 'permissions.update',
  method: 'PATCH',
  path: '/permissions/{id}',
  summary: 'Change a permission',
  description: 'Changes what is given and leaves the rest; null goes back to the default.',
  scope: 'admin:write',
  params: idParams,
  body: permissionChangesBody,
  example: { access: 'read-only' },
  etag: true,
  responses: { 200: { description: 'The permission as it is now.', body: permissionSchema } },
  handle: (call) => changePermission(call, call.body),
})
