import { encodePath, parseUrlPath } from '../http/url-path.js'

const PREFIX = '/dav'

export interface TreePath {
  /** Path in the user's tree; undefined for what is above or beside `/dav`. */
  readonly treePath: string | undefined
  /** Decoded path of the URL. */
  readonly urlPath: string
  readonly trailingSlash: boolean
}

/**
 * The path in the user's tree that a request target, `Destination` or tag of an `If` header names.
 * @throws HttpError 400, 414 as `parseUrlPath`
 */
export function parseTreePath(raw: string): TreePath {
  const { path, trailingSlash } = parseUrlPath(raw)
  if (path === PREFIX) return { treePath: '/', urlPath: path, trailingSlash }
  const treePath = path.startsWith(PREFIX + '/') ? path.slice(PREFIX.length) : undefined
  return { treePath, urlPath: path, trailingSlash }
}

/** Absolute path of the URL of a tree path, percent-encoded; a collection's ends with a slash (RFC 4918 section 5.2). */
export function hrefOf(treePath: string, collection: boolean): string {
  return encodePath(treePath === '/' ? PREFIX : PREFIX + treePath, collection)
}
