import { z } from 'zod'
import { ok } from '../answers.js'
import { id, sortBy } from '../input-values.js'
import { operation } from '../operation.js'
import { cut, pageOf, paging, sorted } from '../page.js'
import { permissionSchema, viewOfPermission } from './permission-resource.js'

export const listPermissions = operation({
  id: 'permissions.list',
  method: 'GET',
  path: '/permissions',
  summary: 'List permissions, of all or of one user or server',
  scope: 'admin:read',
  query: z.strictObject({
    userId: id.optional(),
    serverId: id.optional(),
    access: z.enum(['read-write', 'read-only']).optional(),
    sort: sortBy('username', 'alias', 'remoteUser', 'endsAt', 'createdAt').optional(),
    ...paging,
  }),
  responses: { 200: { description: 'One page of permissions.', body: pageOf(permissionSchema) } },
  async handle({ query: { userId, serverId, access, sort, ...range }, services }) {
    const filter = { ...(userId !== undefined && { userId }), ...(serverId !== undefined && { serverId }) }
    const all = await services.permissions.list(filter)
    const permissions = all.filter((permission) => access === undefined || permission.access === access)
    const page = cut(sort === undefined ? permissions : sorted(permissions, sort), range)
    return ok({ ...page, items: page.items.map(viewOfPermission) })
  },
})
