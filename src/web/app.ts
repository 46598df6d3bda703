import express, { type Express, type Request } from 'express'
import { fileURLToPath } from 'node:url'
import { addressMatcher } from '../config/options.js'
import { requestIdOf } from '../http/request-id.js'
import type { WebDependencies } from './dependencies.js'
import { errorPages, notFound } from './error-pages.js'
import { ftpRoute } from './ftp-route.js'
import { metricsRoute } from './metrics-route.js'
import { render } from './render.js'
import { securityHeaders } from './security-headers.js'

/** `public/` stands at the same distance from `src/web/` and `dist/web/`. */
const PUBLIC = fileURLToPath(new URL('../../public/', import.meta.url))
const BOOTSTRAP = fileURLToPath(new URL('dist/', import.meta.resolve('bootstrap/package.json')))

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
  app.use('/assets', express.static(PUBLIC, assets))

  app.get('/', async (request, response) => {
    const drive = `${config.publicUrl ?? originOf(request)}/dav/`
    response.set('Cache-Control', 'no-store').type('html')
    response.send(await render('home', { title: 'FTPCluster', drive, secure: drive.startsWith('https:') }))
  })
  app.all('/ftp{/*path}', ftpRoute(dependencies))

  app.use(notFound)
  app.use(errorPages(log))
  return app
}

/** As the client wrote it. */
function originOf(request: Request): string {
  return `${request.protocol}://${request.host}`
}
