import { credentials } from '../../../permissions/permission-input.js'
import { ok } from '../answers.js'
import { idParams } from '../input-values.js'
import { operation } from '../operation.js'
import { permissionSchema, tagOfPermission, viewOfPermission } from './permission-resource.js'

export const setCredentials = operation({
  id: 'permissions.setCredentials',
  method: 'PUT',
  path: '/permissions/{id}/credentials',
  summary: 'Set the remote password or key of a permission',
  description:
    'Replaces what is stored; an empty object removes it. Setting the same again lets a rejected login be tried again. ' +
    'Credentials are never shown.',
  scope: 'admin:write',
  params: idParams,
  body: credentials,
  example: { password: 'the password on the server' },
  etag: true,
  responses: { 200: { description: 'The permission as it is now.', body: permissionSchema } },
  async handle({ params, body, actor, services, match }) {
    const permission = await services.change(async (transaction) => {
      match(tagOfPermission(await services.permissions.get(params.id, transaction)))
      return services.permissions.setCredentials(params.id, body, actor, transaction)
    })
    return ok(viewOfPermission(permission), { etag: tagOfPermission(permission) })
  },
})
