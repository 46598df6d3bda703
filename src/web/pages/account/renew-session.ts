import type { Request } from 'express'
import type { WebDependencies } from '../../dependencies.js'
import { actorOf } from '../../page/actor.js'
import { visitorOf } from '../../page/visitor.js'
import { beginSession } from '../../session/session.js'

/** After a change that ends everything that is open: this browser goes on, with a new session; the others are over. */
export async function renewSession(
  request: Request,
  sessions: WebDependencies['sessions'],
  authVersion: number,
): Promise<void> {
  const { userId } = visitorOf(request)
  const actor = actorOf(request)
  await beginSession(request, { userId, authVersion })
  await sessions.endOthers(userId, request.sessionID, actor)
}
