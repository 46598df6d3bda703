import { z } from 'zod'
import { role } from '../../../users/user-input.js'
import { USER_SORTS } from '../../../users/user-service.js'
import { ok } from '../answers.js'
import { flag, searchText } from '../input-values.js'
import { operation } from '../operation.js'
import { pageOf, paging } from '../page.js'
import { userSchema, viewOfUser } from './user-resource.js'

export const listUsers = operation({
  id: 'users.list',
  method: 'GET',
  path: '/users',
  legacyPath: '/users',
  summary: 'List users',
  scope: 'admin:read',
  query: z.strictObject({
    text: searchText.optional().describe('In the username.'),
    role: role.optional(),
    disabled: flag.optional(),
    sort: z.enum(USER_SORTS, `must be one of ${USER_SORTS.join(', ')}`).default('username'),
    ...paging,
  }),
  responses: { 200: { description: 'One page of users.', body: pageOf(userSchema) } },
  async handle({ query, services }) {
    const { items, total } = await services.users.search(query)
    return ok({ items: items.map(viewOfUser), total, limit: query.limit, offset: query.offset })
  },
})
