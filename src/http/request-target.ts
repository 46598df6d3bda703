import type { IncomingMessage } from 'node:http'
import { HttpError } from './errors.js'
import { parseUrlPath } from './url-path.js'

/** RFC 9112 section 3.2.2: what clients send to a proxy, and what a server has to take as well. */
const ABSOLUTE_FORM = /^https?:\/\/(?:[\w.-]+|\[[\d.:a-f]+\])(?::\d{1,5})?(\/[^?#]*)?(\?[^#]*)?$/i

/** Headers that mean nothing certain when they come twice. */
const SINGLE = new Set(['authorization', 'host', 'content-length', 'destination', 'depth', 'overwrite'])

/**
 * Judges the request line before any library sees it, and brings `request.url` to origin form: `/path?query`.
 * @returns the virtual path in it
 * @throws HttpError 400, 414
 */
export function judgeTarget(request: IncomingMessage): string {
  const target = request.url ?? ''
  if (target === '*' && request.method === 'OPTIONS') request.url = '/'
  else if (!target.startsWith('/')) {
    const match = ABSOLUTE_FORM.exec(target)
    if (!match) throw new HttpError(400, 'BAD_TARGET', 'The request target is neither a path nor a web address.')
    request.url = (match[1] ?? '/') + (match[2] ?? '')
  }
  const [rawPath = ''] = (request.url ?? '').split('?', 1)
  return parseUrlPath(rawPath).path
}

/** @throws HttpError 400 when a header that there is one of came twice, or the end of the body cannot be known */
export function judgeHeaders(request: IncomingMessage): void {
  const seen = new Set<string>()
  const { rawHeaders } = request
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? '').toLowerCase()
    if (!SINGLE.has(name)) continue
    if (seen.has(name)) throw new HttpError(400, 'REPEATED_HEADER', `The header ${name} came twice.`)
    seen.add(name)
  }
  const encoding = request.headers['transfer-encoding']
  if (encoding !== undefined && encoding.trim().toLowerCase() !== 'chunked') {
    throw new HttpError(400, 'TRANSFER_ENCODING', 'The only Transfer-Encoding taken is chunked.')
  }
}
