import type { IncomingMessage, ServerResponse } from 'node:http'
import { enderOf, signalOf } from '../http/request-signal.js'
import type { Call, Tree } from '../vfs/tree.js'
import { clientOf, type Client } from './client.js'
import { DavError, badRequest } from './dav-error.js'
import { DavUser } from './dav-user.js'
import type { RenderedListings } from './rendered-listings.js'
import { stateOf } from './request-state.js'
import type { DavDependencies } from './settings.js'
import type { DavContext } from './verb.js'

/** One request of an authenticated user, as the verbs see it. */
export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** Path in the user's tree; undefined above `/dav`. */
  readonly treePath: string | undefined
  /** Decoded path of the URL. */
  readonly urlPath: string
  readonly trailingSlash: boolean
  readonly tree: Tree
  readonly call: Call
  readonly client: Client
  readonly dependencies: DavDependencies
  readonly rendered: RenderedListings
}

/** @throws HttpError 400, 414 for a request target that is no path */
export function openExchange(context: DavContext): Exchange {
  const { request, response, user } = context
  const { dependencies, rendered, target } = stateOf(request)
  if ('error' in target) throw target.error
  if (!(user instanceof DavUser)) throw new Error('The request has no authenticated user.')
  const client = clientOf(request.headers['user-agent'])
  // Windows sends no-cache with every LOCK, too; only who reads means it.
  const reads = request.method === 'GET' || request.method === 'HEAD' || request.method === 'PROPFIND'
  const fresh = reads && /(?:^|[\s,])no-cache(?:$|[\s,])/i.test(request.headers['cache-control'] ?? '')
  return {
    request,
    response,
    treePath: target.treePath,
    urlPath: target.urlPath,
    trailingSlash: target.trailingSlash,
    tree: user.tree,
    call: { signal: signalOf(request, response), end: enderOf(request, response), fresh, names: client.names },
    client,
    dependencies,
    rendered,
  }
}

/** A header that may stand in a request once. @throws DavError 400 */
export function singleHeaderOf(request: IncomingMessage, name: string): string | undefined {
  // Whatever came is in `headers`.
  if (request.headers[name] === undefined) return undefined
  const [line, ...more] = linesOf(request, name)
  if (more.length === 0) return line
  throw badRequest('REPEATED_HEADER', `There are several headers ${name}.`)
}

/** Every line of the header, by its name in lower case; unlike `headersDistinct`, for which Node sorts all the others too. */
export function linesOf({ rawHeaders }: IncomingMessage, name: string): string[] {
  const lines: string[] = []
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const other = rawHeaders[at] ?? ''
    if (other.length === name.length && other.toLowerCase() === name) lines.push(rawHeaders[at + 1] ?? '')
  }
  return lines
}

/** The header's value; several lines of it are one list, as RFC 9110 section 5.3 has it. */
export function headerOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name]
  return Array.isArray(value) ? value.join(', ') : value
}

/**
 * The path in the user's tree, for verbs that have nothing to do with what is above it.
 * @throws DavError 403 for `/`, 404 for anything beside `/dav`
 */
export function pathInTree({ treePath, urlPath }: Exchange): string {
  if (treePath !== undefined) return treePath
  if (urlPath === '/') throw new DavError(403, 'NOT_IN_TREE', 'The drive is at /dav/; nothing else is changed here.')
  throw new DavError(404, 'NOT_IN_TREE', 'The drive is at /dav/.')
}
