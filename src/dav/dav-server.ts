import type { IncomingMessage, ServerResponse } from 'node:http'
import { v2 as webdav } from 'webdav-server'
import { encodePath } from '../http/url-path.js'
import { discardBody } from '../http/body.js'
import { requestIdOf } from '../http/request-id.js'
import { DavAuthentication } from './dav-authentication.js'
import { DavError } from './dav-error.js'
import { DavFileSystem } from './dav-file-system.js'
import { copy } from './methods/copy.js'
import { del } from './methods/delete.js'
import { get } from './methods/get.js'
import { head } from './methods/head.js'
import { lock } from './methods/lock.js'
import { mkcol } from './methods/mkcol.js'
import { move } from './methods/move.js'
import { answerOptions, options } from './methods/options.js'
import { propfind } from './methods/propfind.js'
import { proppatch } from './methods/proppatch.js'
import { put } from './methods/put.js'
import { unlock } from './methods/unlock.js'
import { RenderedListings } from './rendered-listings.js'
import { rememberState } from './request-state.js'
import type { DavDependencies } from './settings.js'
import { targetOf } from './target.js'
import { verb } from './verb.js'

const METHODS = { options, propfind, proppatch, mkcol, get, head, put, delete: del, copy, move, lock, unlock }

/**
 * The one instance of webdav-server: it dispatches, authenticates and carries the file system; the verbs are ours.
 * Its programmatic API works on the tree of a `DavUser`:
 * `server.createExternalContext({ user: new DavUser(tree) })`.
 */
export function createDavServer(dependencies: DavDependencies): webdav.WebDAVServer {
  const server = new webdav.WebDAVServer({
    requireAuthentification: true,
    httpAuthentication: new DavAuthentication(dependencies),
    rootFileSystem: new DavFileSystem(),
    respondWithPaths: true,
    serverName: 'FTPCluster',
    version: '',
    headers: { DAV: '1, 2, 3' },
  })
  for (const name of Object.keys(server.methods)) delete server.methods[name]
  for (const [name, method] of Object.entries(METHODS)) server.method(name, method)
  server.onUnknownMethod(
    verb(() => Promise.reject(new DavError(405, 'METHOD_NOT_ALLOWED', 'There is no such method here.'))),
  )
  return server
}

/**
 * Serves `/dav/…`, and `/` for clients that walk down to it. The URL is judged before webdav-server sees it, which throws
 * on bad escapes; who may not log in learns nothing about it.
 */
export function createDavHandler(
  dependencies: DavDependencies,
): (request: IncomingMessage, response: ServerResponse) => void {
  const server = createDavServer(dependencies)
  const rendered = new RenderedListings()
  return (request, response) => {
    const target = targetOf(request)
    rememberState(request, { dependencies, rendered, target })
    if (isPreflight(request)) {
      discardBody(request, response)
      answerOptions(response)
      return
    }
    const { url } = request
    const listeners = response.listeners('error')
    request.url = 'error' in target ? '/' : encodePath(target.treePath ?? '/', target.trailingSlash)
    execute(server, request, response)
    if (url !== undefined) request.url = url
    // webdav-server would print errors of the response to the console.
    for (const listener of response.listeners('error')) {
      if (!listeners.includes(listener)) response.off('error', listener as (error: Error) => void)
    }
    response.on('error', (error) =>
      dependencies.log.debug({ id: requestIdOf(request), err: error }, 'a response broke off'),
    )
  }
}

/** Cross-origin preflights carry no credentials; nothing is allowed to them. */
function isPreflight(request: IncomingMessage): boolean {
  return request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined
}

function execute(server: webdav.WebDAVServer, request: IncomingMessage, response: ServerResponse): void {
  const run = server.executeRequest as (request: IncomingMessage, response: ServerResponse, root: string) => void
  const { headers } = request
  // Without Depth webdav-server throws and catches a TypeError: a tenth of what a small GET costs. Our verbs look at
  // `headersDistinct`, and nobody gets to see this.
  const hasDepth = headers['depth'] !== undefined
  if (!hasDepth) headers['depth'] = '0'
  run(request, response, '/dav')
  if (!hasDepth) delete headers['depth']
}
