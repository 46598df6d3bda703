import { z } from 'zod'
import { noContent, ok } from '../answers.js'
import { operation } from '../operation.js'
import { sessionKey, sessionSchema, viewOfSessions } from './session-resource.js'

export const listSessions = operation({
  id: 'me.sessions.list',
  method: 'GET',
  path: '/me/sessions',
  summary: 'List the browsers in which you are logged in',
  scope: 'account',
  responses: {
    200: { description: 'The last used first.', body: z.object({ items: z.array(sessionSchema) }) },
  },
  async handle({ user, services, session }) {
    return ok({ items: viewOfSessions(await services.auth.sessions.list(user.userId), session) })
  },
})

export const endSession = operation({
  id: 'me.sessions.end',
  method: 'DELETE',
  path: '/me/sessions/{key}',
  summary: 'Log out of one browser',
  scope: 'account',
  params: z.strictObject({ key: sessionKey }),
  responses: { 204: { description: 'It ended.' } },
  async handle({ params, user, actor, services }) {
    await services.auth.sessions.end(user.userId, params.key, actor)
    return noContent()
  },
})

export const endOtherSessions = operation({
  id: 'me.sessions.endOthers',
  method: 'DELETE',
  path: '/me/sessions',
  summary: 'Log out of all other browsers',
  description: 'Of all, when this request came by no session.',
  scope: 'account',
  responses: { 200: { description: 'How many sessions ended.', body: z.object({ ended: z.int() }) } },
  async handle({ user, actor, services, session }) {
    const { sessions } = services.auth
    const ended = await (session
      ? sessions.endOthers(user.userId, session.id, actor)
      : sessions.endAll(user.userId, actor))
    return ok({ ended })
  },
})
