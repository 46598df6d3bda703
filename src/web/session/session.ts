import type { Request, RequestHandler } from 'express'
import session from 'express-session'
import type { Authenticator, AuthenticatedUser } from '../../auth/authenticate.js'
import { keyOf, type Sessions } from '../../auth/sessions.js'
import { setVisitor } from '../page/visitor.js'
import { cookieName, cookieOptions } from './cookies.js'
import './session-data.js'
import { IDLE_MS, SessionStore } from './session-store.js'

export interface SessionOptions {
  readonly sessions: Pick<Sessions, 'load' | 'save' | 'touch' | 'destroy'>
  readonly authenticator: Pick<Authenticator, 'session'>
  /** Signs the cookie. */
  readonly key: Buffer
  /** Whether browsers reach the gateway by https only. */
  readonly secure: boolean
}

/** Sessions of browsers: a random id in a cookie, everything else in the database. Nobody gets one before logging in. */
export function sessions({ key, secure, authenticator, ...options }: SessionOptions): RequestHandler[] {
  const read = session({
    name: cookieName('sid', secure),
    secret: key.toString('base64'),
    store: new SessionStore(options.sessions),
    resave: false,
    saveUninitialized: false,
    rolling: true,
    cookie: { ...cookieOptions(secure), maxAge: IDLE_MS },
    unset: 'destroy',
  })
  return [read, recogniseVisitor(authenticator)]
}

/** A session counts while its user is as it was at the login; else it is over. */
function recogniseVisitor(authenticator: Pick<Authenticator, 'session'>): RequestHandler {
  return async (request, _response, next) => {
    const { userId, authVersion } = request.session
    if (userId !== undefined && authVersion !== undefined) {
      const result = await authenticator.session(userId, authVersion, keyOf(request.sessionID))
      if (result.ok) setVisitor(request, result.user)
      else await endSession(request)
    }
    next()
  }
}

/** A new session for who has just proved who they are: under a new id, so that a known one gains nothing. */
export async function beginSession(
  request: Request,
  user: Pick<AuthenticatedUser, 'userId' | 'authVersion'>,
  { mustChangePassword = false } = {},
): Promise<void> {
  await renew(request)
  markOrigin(request)
  const { userId, authVersion } = user
  Object.assign(request.session, { userId, authVersion }, mustChangePassword ? { mustChangePassword } : {})
  await save(request)
}

/** The password was right; nothing is open before the second factor is. */
export async function awaitSecondFactor(
  request: Request,
  user: Pick<AuthenticatedUser, 'userId' | 'authVersion'>,
): Promise<void> {
  await renew(request)
  markOrigin(request)
  request.session.pending = { userId: user.userId, authVersion: user.authVersion, since: Date.now() }
  await save(request)
}

/** The session is gone here and in the database; the rest of the request goes on with an empty one. */
export function endSession(request: Request): Promise<void> {
  return renew(request)
}

/** For answers that the browser acts on at once: the session is stored before they leave. */
export function save(request: Request): Promise<void> {
  return new Promise((resolve, reject) => request.session.save((error: unknown) => done(error, resolve, reject)))
}

async function renew(request: Request): Promise<void> {
  await new Promise<void>((resolve, reject) =>
    request.session.regenerate((error: unknown) => done(error, resolve, reject)),
  )
}

/** Who began a session, and when. */
function markOrigin(request: Request): void {
  request.session.startedAt = Date.now()
  request.session.address = request.ip ?? ''
  request.session.userAgent = (request.get('User-Agent') ?? '').slice(0, 255)
}

function done(error: unknown, resolve: () => void, reject: (reason: unknown) => void): void {
  if (error === undefined || error === null) resolve()
  else reject(error)
}
