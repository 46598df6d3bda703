import type { Request } from 'express'

/**
 * Whether JSON is the answer for this client. Browsers name `text/html`; programs name JSON, send it, or authorise
 * themselves and take anything.
 */
export function wantsJson(request: Request): boolean {
  if (request.is('application/json') === 'application/json') return true
  const accept = request.get('Accept') ?? '*/*'
  if (/\btext\/html\b|\bapplication\/xhtml\+xml\b/i.test(accept)) return request.accepts(['html', 'json']) === 'json'
  return request.get('Authorization') !== undefined || /\bjson\b/i.test(accept)
}
