import { z } from 'zod'
import { ok } from '../answers.js'
import { idParams } from '../input-values.js'
import { sessionSchema, viewOfSessions } from '../me/session-resource.js'
import { operation } from '../operation.js'

export const listSessionsOfUser = operation({
  id: 'users.sessions.list',
  method: 'GET',
  path: '/users/{id}/sessions',
  summary: 'List the browsers in which a user is logged in',
  scope: 'admin:read',
  params: idParams,
  responses: {
    200: { description: 'The last used first.', body: z.object({ items: z.array(sessionSchema) }) },
  },
  async handle({ params, services, session }) {
    const user = await services.users.get(params.id)
    return ok({ items: viewOfSessions(await services.auth.sessions.list(user.id), session) })
  },
})
