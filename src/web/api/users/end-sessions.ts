import { z } from 'zod'
import { ok } from '../answers.js'
import { idParams } from '../input-values.js'
import { operation } from '../operation.js'

export const endSessionsOfUser = operation({
  id: 'users.endSessions',
  method: 'DELETE',
  path: '/users/{id}/sessions',
  summary: 'Log a user out of every browser',
  scope: 'admin:write',
  params: idParams,
  responses: { 200: { description: 'How many sessions ended.', body: z.object({ ended: z.int() }) } },
  async handle({ params, actor, services }) {
    const user = await services.users.get(params.id)
    return ok({ ended: await services.auth.sessions.endAll(user.id, actor) })
  },
})
