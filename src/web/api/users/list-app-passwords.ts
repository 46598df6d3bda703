import { z } from 'zod'
import { ok } from '../answers.js'
import { idParams } from '../input-values.js'
import { appPasswordSchema, viewOfAppPassword } from '../me/secret-resource.js'
import { operation } from '../operation.js'

export const listAppPasswordsOfUser = operation({
  id: 'users.appPasswords.list',
  method: 'GET',
  path: '/users/{id}/app-passwords',
  summary: 'List the app passwords of a user',
  scope: 'admin:read',
  params: idParams,
  responses: {
    200: {
      description: 'The newest first, with those that expired.',
      body: z.object({ items: z.array(appPasswordSchema) }),
    },
  },
  async handle({ params, services }) {
    const user = await services.users.get(params.id)
    return ok({ items: (await services.auth.appPasswords.list(user.id)).map(viewOfAppPassword) })
  },
})
