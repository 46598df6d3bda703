import type { Request, Response } from 'express'
import type { AuthenticatedUser } from '../auth/authenticate.js'
import { addressMatcher } from '../config/options.js'
import { HttpError } from '../http/errors.js'
import { checkPreconditions } from '../http/preconditions.js'
import { receiveFile } from '../http/receive-file.js'
import { requestClient } from '../http/request-client.js'
import { signalOf } from '../http/request-signal.js'
import { sendIfFile } from '../http/send-file.js'
import { encodePath, parseUrlPath } from '../http/url-path.js'
import type { Node } from '../vfs/node.js'
import type { Call } from '../vfs/tree.js'
import type { WebDependencies, WebTree } from './dependencies.js'
import { breadcrumbs, folderRows, readableSize } from './folder-page.js'
import { refuseForeignOrigin } from './page/csrf.js'
import { ownOrigin } from './page/origin.js'
import { page } from './page/page.js'
import { knownVisitor } from './page/visitor.js'
import { NO_LOCKS } from './pages/files/files-request.js'
import { requireUser } from './require-user.js'

const ALLOWED = 'GET, HEAD, PUT, DELETE'

/**
 * `/ftp/<user>/<alias>/<path>`: the user's own files. GET and HEAD by whatever the request brings, a session included; a
 * folder is a page, or JSON for whoever asks for it. PUT and DELETE by `Authorization` only, never by the cookie of a
 * session. `/ftp` is the user's own top folder. Another user's path is 404, whether anything is there or not.
 */
export function ftpRoute({ authenticate, treeFor, config }: WebDependencies) {
  const isProxy = addressMatcher(config.trustProxy)
  const originOf = ownOrigin(config.publicUrl)
  return async (request: Request, response: Response): Promise<void> => {
    const method = METHODS.get(request.method)
    if (method === undefined) {
      const message = `This address knows ${ALLOWED}.`
      throw new HttpError(405, 'METHOD_NOT_ALLOWED', message, { headers: { Allow: ALLOWED } })
    }
    const user = (method === read ? bySession(request) : undefined) ?? (await requireUser(request, authenticate))
    // Browsers send a Basic password by themselves, too.
    if (method !== read) refuseForeignOrigin(request, originOf(request))
    if (method !== read && !user.scopes.has('files:write')) {
      throw new HttpError(403, 'SCOPE', 'This token is for reading only.')
    }
    const path = pathFor(request, user)
    const tree = await treeFor(user, requestClient(request, user, isProxy))
    await method(request, response, tree, path, `/ftp/${user.username}`)
  }
}

type Method = (request: Request, response: Response, tree: WebTree, path: string, base: string) => Promise<void>

const read: Method = async (request, response, tree, path, base) => {
  const fresh = /\bno-cache\b/i.test(request.get('Cache-Control') ?? '')
  const call: Call = { signal: signalOf(request, response), fresh }
  const node = await sendIfFile({ request, response, tree, path, call, disposition: 'attachment' })
  if (node.type === 'directory') await sendFolder(request, response, tree, node, call, base)
}

/** 201 for a new file, 204 for one that took the place of another. */
const write: Method = async (request, response, tree, path) => {
  if (rawPathOf(request).endsWith('/')) {
    throw new HttpError(405, 'IS_COLLECTION', 'The URL of a file does not end with a slash.')
  }
  const call: Call = { signal: signalOf(request, response) }
  const { node, created } = await receiveFile({ request, response, tree, path, guard: NO_LOCKS, call })
  if (node.etag !== undefined) response.set('ETag', node.etag)
  response.status(created ? 201 : 204).end()
}

/** A folder goes with everything in it. What has to stay is the answer, and the rest is gone. */
const remove: Method = async (request, response, tree, path) => {
  const call: Call = { signal: signalOf(request, response) }
  const check = (current: Node | undefined) => void checkPreconditions(request.headers, current, { safe: false })
  const [failure] = await tree.remove(path, { ...NO_LOCKS, check }, call)
  if (failure) throw failure.error
  response.status(204).end()
}

const METHODS: ReadonlyMap<string, Method> = new Map([
  ['GET', read],
  ['HEAD', read],
  ['PUT', write],
  ['DELETE', remove],
])

/** Who looks at this in a browser; nobody while a password has to be changed first. */
function bySession(request: Request): AuthenticatedUser | undefined {
  return knownVisitor(request) && request.session.mustChangePassword !== true ? knownVisitor(request) : undefined
}

/** @throws HttpError 404 for the path of another user */
function pathFor(request: Request, user: AuthenticatedUser): string {
  const [, , username, ...rest] = parseUrlPath(rawPathOf(request)).path.split('/')
  if (username !== undefined && username !== user.username) {
    throw new HttpError(404, 'NO_SUCH_PATH', 'There is no such file or folder.')
  }
  return '/' + rest.join('/')
}

function rawPathOf(request: Request): string {
  return request.originalUrl.split('?', 1)[0] ?? ''
}

async function sendFolder(
  request: Request,
  response: Response,
  tree: WebTree,
  node: Node,
  call: Call,
  base: string,
): Promise<void> {
  const rows = folderRows(await tree.list(node.path, call), base)
  response.set('Cache-Control', 'private, no-cache').vary('Accept')
  if (request.accepts(['html', 'json']) === 'json') {
    response.json({ path: node.path, href: encodePath(base + node.path, true), entries: rows })
    return
  }
  const crumbs = breadcrumbs(node.path, base)
  const data = { title: node.name || 'Files', crumbs, rows, readableSize, wide: true, styles: ['files'] }
  await page(request, response, 'files/ftp-folder', data)
}
