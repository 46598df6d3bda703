import { DavError, badRequest } from './dav-error.js'
import { parseTreePath } from './tree-path.js'

/**
 * The tree path that a `Destination` header names (RFC 4918 section 10.3). Scheme and port do not matter: a proxy that
 * ends TLS changes both.
 * @param hosts names that this gateway is known by, as `hostOf` gives them
 * @throws DavError 400 (missing, not an absolute URI or path, user information, query, fragment, a bad path), 502 (some
 *   other server, or outside the tree)
 */
export function parseDestination(header: string | undefined, hosts: ReadonlySet<string>): string {
  const value = header?.trim() ?? ''
  if (value === '') throw badRequest('BAD_DESTINATION', 'The Destination header is missing.')
  const match = /^(?:[A-Za-z][A-Za-z0-9+.-]*:\/\/([^/?#]+))?(\/(?!\/)[^?#]*|)$/.exec(value)
  const [, authority, path = ''] = match ?? []
  if (!match || (authority === undefined && path === '') || authority?.includes('@')) {
    throw badRequest(
      'BAD_DESTINATION',
      'Destination is an absolute URI or an absolute path, without query or fragment.',
    )
  }
  if (authority !== undefined) {
    const host = hostOf(authority)
    if (host === undefined || !hosts.has(host)) {
      throw new DavError(502, 'FOREIGN_DESTINATION', 'The Destination is on another server.')
    }
  }
  const { treePath } = parseTreePath(path === '' ? '/' : path)
  if (treePath === undefined) {
    throw new DavError(502, 'FOREIGN_DESTINATION', 'The Destination is outside the tree.')
  }
  return treePath
}

/** Lower-case host name of `host[:port]`, in the form that URLs compare by; undefined when it is none. */
export function hostOf(authority: string | undefined): string | undefined {
  if (authority === undefined || /[/?#@\\\s]/.test(authority)) return undefined
  try {
    return new URL(`http://${authority}/`).hostname.replace(/\.$/, '') || undefined
  } catch {
    return undefined
  }
}
