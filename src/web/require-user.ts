import type { IncomingMessage } from 'node:http'
import type { AuthenticatedUser } from '../auth/authenticate.js'
import { loginAnswer } from '../http/login-answer.js'
import type { WebDependencies } from './dependencies.js'

/** @throws HttpError 401; 429 after too many wrong passwords; 503 when too many log in at once */
export async function requireUser(
  request: IncomingMessage,
  authenticate: WebDependencies['authenticate'],
): Promise<AuthenticatedUser> {
  const result = await authenticate(request)
  if (result.ok) return result.user
  throw loginAnswer(result)
}
