import { toHttpDate } from '../../http/http-date.js'
import { receiveFile } from '../../http/receive-file.js'
import { sendEmpty } from '../answers.js'
import { checkIf } from '../conditions.js'
import { DavError } from '../dav-error.js'
import { pathInTree } from '../exchange.js'
import { verb } from '../verb.js'

/** RFC 4918 section 9.7. Answered only when the server has the file; clients may then close what they copied from. */
export const put = verb(async (exchange) => {
  const { request, response, tree, call, trailingSlash, dependencies } = exchange
  const lockTokens = await checkIf(exchange)
  const path = exchange.urlPath === '/' ? '/' : pathInTree(exchange)
  if (trailingSlash || path === '/') {
    response.setHeader('Allow', 'OPTIONS, GET, HEAD, DELETE, MKCOL, COPY, MOVE, PROPFIND, PROPPATCH, LOCK, UNLOCK')
    throw new DavError(405, 'IS_COLLECTION', 'The URL of a file does not end with a slash.')
  }
  const idleMs = dependencies.limits.clientIdle
  const { node, created } = await receiveFile({ request, response, tree, path, guard: { lockTokens }, call, idleMs })
  if (node.etag !== undefined) response.setHeader('ETag', node.etag)
  if (node.modified !== undefined) response.setHeader('Last-Modified', toHttpDate(node.modified))
  sendEmpty(response, created ? 201 : 204)
})
