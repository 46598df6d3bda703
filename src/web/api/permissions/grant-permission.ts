import { created } from '../answers.js'
import { operation } from '../operation.js'
import { newPermissionBody, permissionSchema, tagOfPermission, viewOfPermission } from './permission-resource.js'

export const grantPermission = operation({
  id: 'permissions.grant',
  method: 'POST',
  path: '/permissions',
  legacyPath: '/permissions',
  summary: 'Grant a user a server',
  scope: 'admin:write',
  body: newPermissionBody,
  example: { userId: 1, serverId: 1, access: 'read-only', credentials: { password: 'the password on the server' } },
  etag: true,
  responses: { 201: { description: 'The permission was granted.', body: permissionSchema } },
  errors: [404, 409],
  async handle({ body, actor, services }) {
    const permission = await services.permissions.grant(body, actor)
    const etag = tagOfPermission(permission)
    return created(`/api/v1/permissions/${permission.id}`, viewOfPermission(permission), { etag })
  },
})
