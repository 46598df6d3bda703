import express, { type Express, type RequestHandler } from 'express'
import { fileURLToPath } from 'node:url'
import { addressMatcher } from '../config/options.js'
import { requestIdOf } from '../http/request-id.js'
import { apiRoutes } from './api/api.js'
import type { WebDependencies } from './dependencies.js'
import { errorPages, notFound } from './error-pages.js'
import { ftpRoute } from './ftp-route.js'
import { metricsRoute } from './metrics-route.js'
import { csrfProtection } from './page/csrf.js'
import { ownOrigin } from './page/origin.js'
import { PAGES } from './routes.js'
import { securityHeaders } from './security-headers.js'
import { sessions } from './session/session.js'

/** `public/` stands at the same distance from `src/web/` and `dist/web/`. */
const PUBLIC = fileURLToPath(new URL('../../public/', import.meta.url))
const BOOTSTRAP = fileURLToPath(new URL('dist/', import.meta.resolve('bootstrap/package.json')))
const PDFJS = fileURLToPath(new URL('./', import.meta.resolve('pdfjs-dist/package.json')))

/** Everything that is not the drive: pages, `/ftp`, health. */
export function createWebApp(dependencies: WebDependencies): Express {
  const { config, log, unready } = dependencies
  const app = express()
  app.disable('x-powered-by')
  app.set('trust proxy', addressMatcher(config.trustProxy))
  // Texts only: no caller can build an object out of brackets.
  app.set('query parser', 'simple')

  app.use(securityHeaders(config))
  app.use((request, response, next) => {
    response.set('X-Request-Id', requestIdOf(request))
    next()
  })

  app.get('/healthz', (_request, response) => {
    response.set('Cache-Control', 'no-store').json({ status: 'ok' })
  })
  app.get('/readyz', async (_request, response) => {
    const reason = await unready?.()
    response.status(reason === undefined ? 200 : 503).set('Cache-Control', 'no-store')
    response.json(reason === undefined ? { status: 'ok' } : { status: 'unready', reason })
  })

  if (dependencies.metrics) app.get('/metrics', metricsRoute(dependencies.metrics, dependencies))

  const assets = { index: false, redirect: false, maxAge: '1h' } as const
  app.use('/assets/bootstrap', express.static(BOOTSTRAP, assets))
  // The older-browser build: the newest one needs browsers of this year.
  app.use('/assets/pdfjs/build', express.static(`${PDFJS}legacy/build/`, assets))
  for (const data of ['cmaps', 'standard_fonts', 'wasm']) {
    app.use(`/assets/pdfjs/${data}`, express.static(`${PDFJS}${data}/`, assets))
  }
  app.use('/assets', express.static(PUBLIC, assets))

  // A browser keeps the cookie of a https address to itself when the page came by http: then nobody could log in.
  const secure = config.publicUrl?.startsWith('https:') ?? config.tls.mode !== 'off'
  const session = sessions({ ...dependencies, key: dependencies.keys.session, secure })
  const forms = express.urlencoded({ extended: false, limit: config.limits.body, parameterLimit: 2000 })
  const csrf = csrfProtection({ key: dependencies.keys.csrf, secure, originOf: ownOrigin(config.publicUrl) })
  app.use(apiRoutes(dependencies, { session, csrf }))

  // Without an `Authorization`, whoever is logged in may read here; a session never changes anything by this way.
  const reader = express.Router().use(session, csrf)
  const mayHaveSession: RequestHandler = (request, response, next) => {
    const reads = request.method === 'GET' || request.method === 'HEAD'
    if (reads && request.headers.authorization === undefined) reader(request, response, next)
    else next()
  }
  app.all('/ftp{/*path}', mayHaveSession, ftpRoute(dependencies))

  app.use(session, forms, csrf)
  for (const routes of PAGES) app.use(routes(dependencies))

  app.use(notFound)
  app.use(errorPages(log))
  return app
}
