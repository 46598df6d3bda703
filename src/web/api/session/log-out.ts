import { noContent } from '../answers.js'
import { operation } from '../operation.js'

export const logOut = operation({
  id: 'session.logOut',
  method: 'GET',
  path: '/logout',
  at: 'root',
  summary: 'Log out',
  description: 'Ends the token or the session that the request came by. Passwords and API tokens stay as they are.',
  scope: 'any',
  beforePasswordChange: true,
  responses: { 204: { description: 'It is no good any more.' } },
  async handle({ user, actor, authorization, services: { auth }, session }) {
    if (session) await auth.sessions.logOut(session.id, user.userId, actor)
    await session?.end()
    if (user.via === 'jwt') await auth.jwts.revoke((authorization ?? '').replace(/^bearer +/i, ''), actor)
    return noContent()
  },
})
