import type { NextFunction, Request, Response } from 'express'
import type { AuthenticatedUser } from '../../auth/authenticate.js'
import { KeptWith } from '../../heap/kept-with.js'
import { HttpError } from '../../http/errors.js'
import { wantsPage } from './wants-page.js'

const visitors = new KeptWith<Request, AuthenticatedUser>('visitors')

/** Who looks at this page, by the session; undefined when nobody is logged in. */
export function knownVisitor(request: Request): AuthenticatedUser | undefined {
  return visitors.get(request)
}

export function setVisitor(request: Request, user: AuthenticatedUser): void {
  visitors.set(request, user)
}

/** @throws HttpError 401 where `requireVisitor` does not stand before the route */
export function visitorOf(request: Request): AuthenticatedUser {
  const visitor = visitors.get(request)
  if (!visitor) throw new HttpError(401, 'UNAUTHENTICATED', 'Log in first.')
  return visitor
}

/**
 * Lets through who is logged in; sends browsers to the login page and back here afterwards, and those who have to change
 * their password to the page for it.
 */
export function requireVisitor(request: Request, response: Response, next: NextFunction): void {
  if (!visitors.has(request)) {
    if (!wantsPage(request)) throw new HttpError(401, 'UNAUTHENTICATED', 'Log in first.')
    const back = request.method === 'GET' ? request.originalUrl : '/'
    response.redirect(303, back === '/' ? '/login' : `/login?next=${encodeURIComponent(back)}`)
    return
  }
  if (request.session.mustChangePassword === true) {
    response.redirect(303, '/password')
    return
  }
  next()
}

/** As `requireVisitor`, for admins. @throws HttpError 403 */
export function requireAdmin(request: Request, response: Response, next: NextFunction): void {
  requireVisitor(request, response, () => {
    if (!visitorOf(request).admin) throw new HttpError(403, 'ADMINS_ONLY', 'This page is for administrators.')
    next()
  })
}
