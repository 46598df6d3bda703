import type { Request, Response } from 'express'
import type { AuthenticatedUser } from '../auth/authenticate.js'
import { addressMatcher } from '../config/options.js'
import { HttpError } from '../http/errors.js'
import { requestClient } from '../http/request-client.js'
import { signalOf } from '../http/request-signal.js'
import { callToSend, sendFile } from '../http/send-file.js'
import { encodePath, parseUrlPath } from '../http/url-path.js'
import type { Node } from '../vfs/node.js'
import type { Call } from '../vfs/tree.js'
import type { WebDependencies, WebTree } from './dependencies.js'
import { breadcrumbs, folderRows, readableSize } from './folder-page.js'
import { render } from './render.js'
import { requireUser } from './require-user.js'

/**
 * `/ftp/<user>/<alias>/<path>`: GET and HEAD of the user's own files; a folder is a page, or JSON for whoever asks for it.
 * `/ftp` is the user's own top folder. Another user's path is 404, whether anything is there or not.
 */
export function ftpRoute({ authenticate, treeFor, config }: WebDependencies) {
  const isProxy = addressMatcher(config.trustProxy)
  return async (request: Request, response: Response): Promise<void> => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      throw new HttpError(405, 'METHOD_NOT_ALLOWED', 'This address is for reading.', {
        headers: { Allow: 'GET, HEAD' },
      })
    }
    const user = await requireUser(request, authenticate)
    const path = pathFor(request, user)
    const tree = await treeFor(user, requestClient(request, user, isProxy))
    const fresh = /\bno-cache\b/i.test(request.get('Cache-Control') ?? '')
    const call: Call = { signal: signalOf(request, response), fresh }
    const node = await tree.stat(path, callToSend(request, call))
    if (node.type === 'file') {
      await sendFile({ request, response, tree, node, call, disposition: 'attachment' })
    } else await sendFolder(request, response, tree, node, call, `/ftp/${user.username}`)
  }
}

/** @throws HttpError 404 for the path of another user */
function pathFor(request: Request, user: AuthenticatedUser): string {
  const [rawPath = ''] = request.originalUrl.split('?', 1)
  const [, , username, ...rest] = parseUrlPath(rawPath).path.split('/')
  if (username !== undefined && username !== user.username) {
    throw new HttpError(404, 'NO_SUCH_PATH', 'There is no such file or folder.')
  }
  return '/' + rest.join('/')
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
  response.type('html').send(await render('folder', { title: node.name || 'Files', crumbs, rows, readableSize }))
}
