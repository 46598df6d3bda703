import { z } from 'zod'
import { ok } from '../answers.js'
import { idParams } from '../input-values.js'
import { apiTokenSchema, viewOfApiToken } from '../me/secret-resource.js'
import { operation } from '../operation.js'

export const listApiTokensOfUser = operation({
  id: 'users.apiTokens.list',
  method: 'GET',
  path: '/users/{id}/api-tokens',
  summary: 'List the API tokens of a user',
  scope: 'admin:read',
  params: idParams,
  responses: {
    200: {
      description: 'The newest first, with those that expired.',
      body: z.object({ items: z.array(apiTokenSchema) }),
    },
  },
  async handle({ params, services }) {
    const user = await services.users.get(params.id)
    return ok({ items: (await services.auth.apiTokens.list(user.id)).map(viewOfApiToken) })
  },
})
