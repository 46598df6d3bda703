import type { CookieOptions, Request } from 'express'

/** With the prefix that browsers take only from the very host, over https (RFC 6265bis section 4.1.3.2). */
export function cookieName(name: string, secure: boolean): string {
  return secure ? `__Host-${name}` : name
}

export function cookieOptions(secure: boolean): CookieOptions {
  return { httpOnly: true, secure, sameSite: 'lax', path: '/' }
}

/** The first cookie of that name; undefined when there is none. */
export function readCookie(request: Request, name: string): string | undefined {
  for (const part of (request.get('Cookie') ?? '').split(';')) {
    const [key, value] = part.trim().split('=', 2)
    if (key === name) return value
  }
  return undefined
}
