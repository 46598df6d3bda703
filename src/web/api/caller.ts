import type { Request, Response } from 'express'
import type { IncomingMessage } from 'node:http'
import type { Actor } from '../../audit/actor.js'
import type { AuthenticatedUser, Authenticator } from '../../auth/authenticate.js'
import { HttpError } from '../../http/errors.js'
import { loginAnswer } from '../../http/login-answer.js'
import type { Operation } from './operation.js'

export interface CallerSession {
  readonly id: string
  /** After a change that ends what is open: this session goes on. */
  renew(authVersion: number): void
  /** The logout. */
  end(): Promise<void>
}

/** Somebody with a session cookie. */
export interface SessionVisitor {
  readonly user: AuthenticatedUser
  readonly session: CallerSession
  readonly mustChangePassword: boolean
}

/** Sessions of browsers; `web/session/` is behind them. */
export interface SessionDoor {
  /** By the session cookie; undefined when the request brings none that is valid. */
  visitor(request: Request, response: Response): Promise<SessionVisitor | undefined>
  /** @throws HttpError 403 unless the request was made by a page of this gateway, with the token of its session */
  requireOwnPage(request: Request, response: Response): Promise<void>
}

export interface Doors {
  readonly authenticator: Pick<Authenticator, 'basic' | 'bearer'>
  readonly sessions: SessionDoor
}

export interface Caller {
  readonly user: AuthenticatedUser
  readonly session: CallerSession | undefined
  readonly mustChangePassword: boolean
}

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Who calls: by `Authorization`, or else by the session cookie. A cookie, and a password that the browser adds by itself,
 * count for a change only when one of our own pages makes it.
 * @throws HttpError 401, 403, 429, 503
 */
export async function callerOf(
  request: Request,
  response: Response,
  address: string,
  { authenticator, sessions }: Doors,
): Promise<Caller> {
  const header = request.headers.authorization
  const unsafe = !SAFE.has(request.method)
  if (header === undefined) {
    const visitor = await sessions.visitor(request, response)
    if (!visitor) throw refused(request, { reason: 'missing' })
    if (unsafe) await sessions.requireOwnPage(request, response)
    return visitor
  }
  const isBearer = /^bearer( |$)/i.test(header)
  const result = await (isBearer ? authenticator.bearer(header, address) : authenticator.basic(header, address))
  if (!result.ok) throw refused(request, result)
  if (unsafe && !isBearer) refuseCrossSite(request)
  return { user: result.user, session: undefined, mustChangePassword: false }
}

/** @throws HttpError 403 when the caller lacks what the operation needs */
export function authorise(
  { user, mustChangePassword }: Caller,
  { scope, beforePasswordChange = false }: Pick<Operation, 'scope' | 'beforePasswordChange'>,
): void {
  if (mustChangePassword && !beforePasswordChange) {
    throw new HttpError(403, 'PASSWORD_CHANGE', 'Change your password first.')
  }
  if (scope === 'none' || scope === 'any') return
  // A token for some servers must not manage the others.
  const limited = scope.startsWith('admin:') && user.servers !== undefined
  if (user.scopes.has(scope) && !limited) return
  throw new HttpError(403, 'SCOPE_MISSING', `This needs the scope ${scope}, which your login does not have.`)
}

/** How changes by this caller are recorded. */
export function actorOf({ user: { userId, username, via, credential } }: Caller, address: string): Actor {
  const who = { userId, username, address }
  return via === 'api-token' && credential
    ? { kind: 'token', ...who, tokenName: credential.name }
    : { kind: 'user', ...who }
}

function refuseCrossSite(request: IncomingMessage): void {
  const site = request.headers['sec-fetch-site']
  if (site === undefined || site === 'same-origin' || site === 'none') return
  throw new HttpError(403, 'CROSS_SITE', 'Another site may not make changes here.')
}

/** A browser would ask for a password on `Basic`; its scripts get the challenge without it. */
export function refused(request: IncomingMessage, result: Parameters<typeof loginAnswer>[0]): HttpError {
  const error = loginAnswer(result)
  const basic = error.headers['WWW-Authenticate']
  if (basic === undefined) return error
  const { cookie, 'sec-fetch-mode': mode = 'navigate', 'x-csrf-token': token } = request.headers
  const byScript = cookie !== undefined || token !== undefined || mode !== 'navigate'
  const challenge = byScript ? 'Bearer realm="FTPCluster"' : `Bearer realm="FTPCluster", ${basic}`
  const headers = { ...error.headers, 'WWW-Authenticate': challenge }
  const message = error.code === 'UNAUTHENTICATED' ? 'A token, or username and password, are needed.' : error.message
  return new HttpError(error.status, error.code, message, { headers })
}
