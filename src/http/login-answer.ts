import { HttpError } from './errors.js'

/** A refused `AuthResult` of `auth/`. */
export interface RefusedLogin {
  readonly reason: 'missing' | 'malformed' | 'rejected' | 'throttled' | 'busy' | 'second-factor' | 'password-change'
  readonly retryAfterSeconds?: number
}

/** The same for everybody at every door; RFC 7617. */
const CHALLENGE = 'Basic realm="FTPCluster", charset="UTF-8"'

/**
 * What a client hears when it was not let in: 401 with a challenge; 429 after too many wrong passwords, 503 when too many
 * log in at once, both without one, since the password may be right.
 */
export function loginAnswer({ reason, retryAfterSeconds }: RefusedLogin): HttpError {
  const headers: Record<string, string> = {}
  if (retryAfterSeconds !== undefined) headers['Retry-After'] = String(Math.max(1, Math.ceil(retryAfterSeconds)))
  if (reason === 'throttled') {
    return new HttpError(429, 'TOO_MANY_ATTEMPTS', 'Too many wrong passwords. Try again later.', { headers })
  }
  if (reason === 'busy') {
    return new HttpError(503, 'LOGIN_BUSY', 'Too many logins at once. Try again shortly.', { headers })
  }
  headers['WWW-Authenticate'] = CHALLENGE
  if (reason === 'second-factor') {
    const hint = 'This user has a second factor: make an app password in the browser, and use that here.'
    return new HttpError(401, 'SECOND_FACTOR', hint, { headers })
  }
  if (reason === 'password-change') {
    const hint = 'This password must be changed first: log in with a browser.'
    return new HttpError(401, 'PASSWORD_CHANGE', hint, { headers })
  }
  return new HttpError(401, 'UNAUTHENTICATED', 'Username and password are needed.', { headers })
}
