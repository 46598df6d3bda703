import { ok } from '../answers.js'
import { idParams } from '../input-values.js'
import { operation } from '../operation.js'
import { permissionSchema, tagOfPermission, viewOfPermission } from './permission-resource.js'

export const getPermission = operation({
  id: 'permissions.get',
  method: 'GET',
  path: '/permissions/{id}',
  summary: 'Get a permission',
  scope: 'admin:read',
  params: idParams,
  etag: true,
  responses: { 200: { description: 'The permission.', body: permissionSchema } },
  async handle({ params, services }) {
    const permission = await services.permissions.get(params.id)
    return ok(viewOfPermission(permission), { etag: tagOfPermission(permission) })
  },
})
