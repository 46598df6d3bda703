import { idParams } from '../input-values.js'
import { operation } from '../operation.js'
import { changePermission } from './change-permission.js'
import { permissionChangesBody, permissionSchema } from './permission-resource.js'

const DEFAULTS = { remoteUser: null, access: 'read-write', root: null, endsAt: null, selfService: false } as const

export const replacePermission = operation({
  id: 'permissions.replace',
  method: 'PUT',
  path: '/permissions/{id}',
  summary: 'Set everything about a permission',
  description: 'What is not given goes to its default. Credentials are set by permissions.setCredentials.',
  scope: 'admin:write',
  params: idParams,
  body: permissionChangesBody,
  example: { access: 'read-only', root: 'projects' },
  etag: true,
  responses: { 200: { description: 'The permission as it is now.', body: permissionSchema } },
  handle: (call) => changePermission(call, { ...DEFAULTS, ...call.body }),
})
