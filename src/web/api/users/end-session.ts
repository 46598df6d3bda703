import { noContent } from '../answers.js'
import { idParams } from '../input-values.js'
import { sessionKey } from '../me/session-resource.js'
import { operation } from '../operation.js'

export const endSessionOfUser = operation({
  id: 'users.sessions.end',
  method: 'DELETE',
  path: '/users/{id}/sessions/{key}',
  summary: 'Log a user out of one browser',
  description: 'What is under way by the session ends.',
  scope: 'admin:write',
  params: idParams.extend({ key: sessionKey }),
  responses: { 204: { description: 'It ended.' } },
  async handle({ params, actor, services }) {
    await services.auth.sessions.end(params.id, params.key, actor)
    return noContent()
  },
})
