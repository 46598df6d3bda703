import type { IncomingMessage } from 'node:http'
import { badRequest } from './dav-error.js'
import { hostOf } from './destination.js'
import type { RequestState } from './request-state.js'
import { parseTreePath } from './tree-path.js'

/** The path that the request line names: origin form, absolute form, or `*` (RFC 9112 section 3.2); queries are ignored. */
export function targetOf(request: IncomingMessage): RequestState['target'] {
  const raw = request.url ?? ''
  try {
    if (raw === '*') return parseTreePath('/')
    if (raw.includes('#')) throw badRequest('BAD_PATH', 'A number sign in a path is written %23.')
    const [, authority, rest = ''] = /^(?:[A-Za-z][A-Za-z0-9+.-]*:\/\/([^/?]*))?(.*)$/s.exec(raw) ?? []
    if (authority !== undefined && hostOf(authority) === undefined) {
      throw badRequest('BAD_PATH', 'The request line names no host.')
    }
    const [path = ''] = rest.split('?', 1)
    return parseTreePath(path === '' ? '/' : path)
  } catch (error) {
    return { error }
  }
}
