import type { NextFunction, Request, Response } from 'express'
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { KeptWith } from '../../heap/kept-with.js'
import { HttpError } from '../../http/errors.js'
import { cookieName, cookieOptions, readCookie } from '../session/cookies.js'

export interface CsrfOptions {
  /** Stays the same over restarts, so that an open form stays valid. */
  readonly key: Buffer
  /** Whether browsers reach the gateway by https only. */
  readonly secure: boolean
  /** The origin that browsers see, e.g. `https://drive.example.com`. */
  readonly originOf: (request: Request) => string
}

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])
const HEADER = 'X-CSRF-Token'
/** Binds a form to the browser of somebody who is not logged in yet. */
const ANONYMOUS = 'csrf'

const tokens = new KeptWith<Request, () => string>('tokens')

/**
 * What a form of this page has to bring back as `_csrf`, and a script as the header `X-CSRF-Token`. Follows the
 * session: asked for after the login, it is that of the new one.
 */
export function csrfToken(request: Request): string {
  return tokens.get(request)?.() ?? ''
}

/**
 * Refuses unsafe requests that did not begin on a page of ours: by where they come from (Fetch metadata, RFC 6454 Origin)
 * and by a token that is an HMAC of the session, or of a cookie before there is one. Runs after the session and the parser
 * of forms. It is for cookies: what authenticates by `Authorization` does not come this way.
 * @throws HttpError 403
 */
export function csrfProtection(options: CsrfOptions) {
  const { key, secure, originOf } = options
  const name = cookieName(ANONYMOUS, secure)

  const bindingOf = (request: Request, response: Response): string => {
    if (request.session.userId !== undefined) return `session ${request.sessionID}`
    const known = readCookie(request, name)
    if (known !== undefined && /^[\w-]{22}$/.test(known)) return `browser ${known}`
    const fresh = randomBytes(16).toString('base64url')
    if (SAFE.has(request.method)) response.cookie(name, fresh, cookieOptions(secure))
    return `browser ${fresh}`
  }

  const tokenOf = (binding: string) => createHmac('sha256', key).update(binding).digest('base64url')

  return (request: Request, response: Response, next: NextFunction): void => {
    const binding = bindingOf(request, response)
    const token = tokenOf(binding)
    const { userId } = request.session
    const sameSession = (id: string) => request.sessionID === id && request.session.userId === userId
    const { sessionID } = request
    tokens.set(request, () => (sameSession(sessionID) ? token : tokenOf(bindingOf(request, response))))
    if (!SAFE.has(request.method)) {
      refuseForeignOrigin(request, originOf(request))
      if (!equal(givenToken(request), token)) {
        throw new HttpError(
          403,
          'PAGE_EXPIRED',
          'This page is out of date. Go back, load it again and repeat the change.',
        )
      }
    }
    next()
  }
}

/** @throws HttpError 403 when a browser says that another site sent the request */
export function refuseForeignOrigin(request: Request, own: string): void {
  const site = request.get('Sec-Fetch-Site')
  const origin = request.get('Origin')
  const foreignSite = site !== undefined && site !== 'same-origin' && site !== 'none'
  if (foreignSite || (origin !== undefined && origin !== own)) {
    throw new HttpError(403, 'FOREIGN_ORIGIN', 'This request came from another site.')
  }
}

function givenToken(request: Request): string {
  const header = request.get(HEADER)
  if (header !== undefined) return header
  const body: unknown = request.body
  if (typeof body !== 'object' || body === null || !('_csrf' in body)) return ''
  return typeof body._csrf === 'string' ? body._csrf : ''
}

function equal(given: string, expected: string): boolean {
  const a = Buffer.from(given)
  const b = Buffer.from(expected)
  return a.length === b.length && timingSafeEqual(a, b)
}
