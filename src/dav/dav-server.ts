import type { IncomingMessage, ServerResponse } from 'node:http'
import { v2 as webdav } from 'webdav-server'
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
import { verb, type DavContext, type Verb } from './verb.js'

const METHODS: Readonly<Record<string, Verb>> = {
  options,
  propfind,
  proppatch,
  mkcol,
  get,
  head,
  put,
  delete: del,
  copy,
  move,
  lock,
  unlock,
}
const UNKNOWN = verb(() => Promise.reject(new DavError(405, 'METHOD_NOT_ALLOWED', 'There is no such method here.')))

/** On every answer; Microsoft's programs look for the second. */
const DAV_HEADERS = { DAV: '1, 2, 3', 'MS-Author-Via': 'DAV' }

/**
 * The one instance of webdav-server: it holds the table of methods, the authentication hook and the file system; the verbs
 * are ours. Its programmatic API works on the tree of a `DavUser`:
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
    headers: DAV_HEADERS,
  })
  for (const name of Object.keys(server.methods)) delete server.methods[name]
  for (const [name, method] of Object.entries(METHODS)) server.method(name, method)
  server.onUnknownMethod(UNKNOWN)
  return server
}

/** Serves `/dav/…`, and `/` for clients that walk down to it. Who may not log in learns nothing about the URL. */
export function createDavHandler(
  dependencies: DavDependencies,
): (request: IncomingMessage, response: ServerResponse) => void {
  const server = createDavServer(dependencies)
  const rendered = new RenderedListings()
  return (request, response) => {
    rememberState(request, { dependencies, rendered, target: targetOf(request) })
    if (isPreflight(request)) {
      discardBody(request, response)
      answerOptions(response)
      return
    }
    response.on('error', (error) =>
      dependencies.log.debug({ id: requestIdOf(request), err: error }, 'a response broke off'),
    )
    for (const [name, value] of Object.entries(DAV_HEADERS)) response.setHeader(name, value)
    dispatch(server, request, response)
  }
}

/**
 * By the hook and the table of webdav-server, but not through its `executeRequest`, which makes a context out of six
 * searches through all headers, a parsed URL and answer headers of which most have to go again (ADR 0003).
 */
function dispatch(server: webdav.WebDAVServer, request: IncomingMessage, response: ServerResponse): void {
  const context: DavContext = { request, response }
  // The hook and the verbs are ours, and look at nothing else of a context.
  const known = context as webdav.HTTPRequestContext
  const method = server.methods[(request.method ?? '').toLowerCase()] ?? UNKNOWN
  server.httpAuthentication.getUser(known, (_none, user) => {
    context.user = user
    method.chunked?.(known, request, response.end.bind(response))
  })
}

/** Cross-origin preflights carry no credentials; nothing is allowed to them. */
function isPreflight(request: IncomingMessage): boolean {
  return request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined
}
