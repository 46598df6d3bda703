import express, { type NextFunction, type Request, type Response } from 'express'
import { fileURLToPath } from 'node:url'
import type { AuthenticatedUser } from '../../../../src/auth/authenticate.js'
import { loadConfig } from '../../../../src/config/config.js'
import { messageOf } from '../../../../src/errors.js'
import { Jobs } from '../../../../src/jobs/jobs.js'
import type { Tree } from '../../../../src/vfs/tree.js'
import type { WebDependencies } from '../../../../src/web/dependencies.js'
import { errorPages, notFound } from '../../../../src/web/error-pages.js'
import { csrfProtection } from '../../../../src/web/page/csrf.js'
import { ownOrigin } from '../../../../src/web/page/origin.js'
import { setVisitor } from '../../../../src/web/page/visitor.js'
import { filesRoutes } from '../../../../src/web/pages/files/files-routes.js'
import { jobsRoutes } from '../../../../src/web/pages/files/jobs-page.js'
import { securityHeaders } from '../../../../src/web/security-headers.js'
import { FakeTree } from '../../../support/fake-tree.js'
import { serve } from '../../../support/http-server.js'
import { loggedIn } from '../../../support/logged-in.js'

const ASSETS = fileURLToPath(new URL('../../../../public/', import.meta.url))
const BOOTSTRAP = fileURLToPath(new URL('../../../../node_modules/bootstrap/dist/', import.meta.url))

export interface FilesApp {
  readonly url: string
  readonly port: number
  readonly tree: FakeTree
  readonly jobs: Jobs
  /** What `access` the visitor has, by alias. */
  readonly access: Map<string, 'read-write' | 'read-only'>
  /** Undefined: nobody is logged in. */
  visitor: AuthenticatedUser | undefined
  /** As a script of a page. */
  send(method: string, path: string, options?: Sending): Promise<globalThis.Response>
  stop(): Promise<void>
}

export interface Sending {
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer | URLSearchParams
  /** False: without the token. */
  readonly token?: boolean
}

/** The files pages as they stand in the web app, with a session that is always there and a tree in memory. */
export async function startFilesApp(): Promise<FilesApp> {
  const tree = new FakeTree()
  const jobs = new Jobs(messageOf)
  const access = new Map<string, 'read-write' | 'read-only'>([
    ['s1', 'read-write'],
    ['s2', 'read-write'],
    ['ro', 'read-only'],
  ])
  const dependencies = {
    treeFor: () => tree as FakeTree & Tree,
    permissions: { list: () => Promise.resolve([...access].map(([alias, access]) => ({ alias, access }))) },
    jobs,
    config: loadConfig({}),
  } as unknown as WebDependencies

  const state: { visitor: AuthenticatedUser | undefined } = { visitor: loggedIn({ username: 'anna' }) }
  const app = express()
  app.set('query parser', 'simple')
  app.use(securityHeaders(dependencies.config))
  app.use('/assets/bootstrap', express.static(BOOTSTRAP))
  app.use('/assets', express.static(ASSETS))
  app.use((request: Request, _response: Response, next: NextFunction) => {
    Object.assign(request, { session: { userId: state.visitor?.userId }, sessionID: 'one' })
    if (state.visitor) setVisitor(request, state.visitor)
    next()
  })
  app.use(express.urlencoded({ extended: false, parameterLimit: 2000 }))
  app.use(csrfProtection({ key: Buffer.alloc(32, 1), secure: false, originOf: ownOrigin(undefined) }))
  app.use(filesRoutes(dependencies), jobsRoutes(dependencies))
  app.use(notFound)
  app.use(errorPages({ error: () => undefined, warn: () => undefined, debug: () => undefined }))
  const server = await serve(app)

  const send: FilesApp['send'] = async (method, path, { headers = {}, body, token = true } = {}) => {
    const csrf = token && method !== 'GET' ? { 'X-CSRF-Token': await tokenOf(server.url) } : {}
    return fetch(server.url + path, {
      method,
      redirect: 'manual',
      headers: { Accept: 'application/json', ...csrf, ...headers },
      ...(body === undefined ? {} : { body }),
    })
  }
  return Object.assign(state, {
    url: server.url,
    port: server.port,
    tree,
    jobs,
    access,
    send,
    stop: async () => {
      await jobs.stop()
      await server.stop()
    },
  })
}

async function tokenOf(url: string): Promise<string> {
  const html = await (await fetch(`${url}/jobs`, { headers: { Accept: 'text/html' } })).text()
  return /<meta name="csrf-token" content="([^"]+)"/.exec(html)?.[1] ?? ''
}
