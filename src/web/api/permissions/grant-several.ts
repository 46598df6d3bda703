import { z } from 'zod'
import { ConflictError, UnknownObjectError, ValidationError } from '../../../errors.js'
import type { Permission } from '../../../permissions/permission-service.js'
import { ok } from '../answers.js'
import { operation } from '../operation.js'
import { newPermissionBody, permissionSchema, viewOfPermission } from './permission-resource.js'

export const grantSeveral = operation({
  id: 'permissions.grantSeveral',
  method: 'POST',
  path: '/permissions/batch',
  summary: 'Grant several permissions at once',
  description: 'All of them, or none when one cannot be granted.',
  scope: 'admin:write',
  body: z.strictObject({ permissions: z.array(newPermissionBody).min(1).max(200) }),
  example: { permissions: [{ userId: 1, serverId: 1, root: 'projects', endsAt: '2090-12-31' }] },
  responses: {
    200: { description: 'They were granted.', body: z.object({ items: z.array(permissionSchema) }) },
  },
  errors: [404, 409],
  async handle({ body, actor, services }) {
    const granted = await services.change(async (transaction) => {
      const permissions: Permission[] = []
      for (const [index, input] of body.permissions.entries()) {
        const permission = await services.permissions.grant(input, actor, transaction).catch((error: unknown) => {
          throw inPlace(error, `permissions[${index}]`)
        })
        permissions.push(permission)
      }
      return permissions
    })
    return ok({ items: granted.map(viewOfPermission) })
  },
})

/** The same error, saying which of the inputs it is about. */
function inPlace(error: unknown, place: string): unknown {
  if (error instanceof ValidationError) {
    return new ValidationError(error.problems.map(({ field, message }) => ({ field: `${place}.${field}`, message })))
  }
  if (error instanceof ConflictError) return new ConflictError(`${place}: ${error.message}`)
  if (error instanceof UnknownObjectError) return new UnknownObjectError(`${place}: ${error.message}`)
  return error
}
