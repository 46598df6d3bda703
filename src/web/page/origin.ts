import type { Request } from 'express'

/** The origin under which browsers know the gateway: as configured, else as the request says. */
export function ownOrigin(publicUrl: string | undefined) {
  const configured = publicUrl === undefined ? undefined : new URL(publicUrl).origin
  return (request: Request): string => configured ?? `${request.protocol}://${request.host}`
}

/**
 * Where to go after the login: a path of this gateway, or `/` for everything else that somebody may have put into a link.
 */
export function safeNext(next: unknown): string {
  if (typeof next !== 'string' || !/^\/(?![/\\])/.test(next)) return '/'
  // eslint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\u007f\\]/.test(next)) return '/'
  const here = 'http://here.invalid'
  if (!URL.canParse(next, here)) return '/'
  const target = new URL(next, here)
  return target.origin === here ? target.pathname + target.search : '/'
}
