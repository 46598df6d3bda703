import type { Request, Response } from 'express'
import type { AuthenticatedUser } from '../../../auth/authenticate.js'
import type { WebDependencies } from '../../dependencies.js'
import { beginSession } from '../../session/session.js'

export interface Entering {
  readonly user: Pick<AuthenticatedUser, 'userId' | 'username' | 'authVersion'>
  readonly mustChangePassword: boolean
  /** A path of this gateway, as `safeNext` gives it. */
  readonly next: string
}

/** Everything was proved: a new session begins, the login is noted, and the page that was wanted follows. */
export async function enter(
  request: Request,
  response: Response,
  logins: WebDependencies['logins'],
  { user, mustChangePassword, next }: Entering,
): Promise<void> {
  await beginSession(request, user, { mustChangePassword })
  const { userId, username } = user
  logins.succeeded({ userId, username, via: 'session' }, request.ip ?? '')
  response.redirect(303, mustChangePassword ? '/password' : next)
}
