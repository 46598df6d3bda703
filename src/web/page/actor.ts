import type { Request } from 'express'
import type { Actor } from '../../audit/actor.js'
import { visitorOf } from './visitor.js'

/** Whoever looks at this page, as the services want to know it. @throws HttpError 401 */
export function actorOf(request: Request): Actor {
  const { userId, username } = visitorOf(request)
  return { kind: 'user', userId, username, address: request.ip ?? '' }
}
