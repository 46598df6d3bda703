import type { RequestHandler, Router } from 'express'
import { addressMatcher } from '../../config/options.js'
import { clientAddress } from '../../http/client-address.js'
import type { WebDependencies } from '../dependencies.js'
import { browserSessions } from './browser-sessions.js'
import { describeApi } from './openapi.js'
import { OPERATIONS } from './operations.js'
import { apiRouter } from './router.js'

export interface SessionHandlers {
  /** Read the session of a browser. */
  readonly session: readonly RequestHandler[]
  /** Refuses what did not begin on a page of ours. */
  readonly csrf: RequestHandler
}

/** `/api/v1`, and JSON at the paths of the original specification. Stands before the session and every parser. */
export function apiRoutes(dependencies: WebDependencies, handlers: SessionHandlers): Router {
  const { config, log, authenticator } = dependencies
  const isProxy = addressMatcher(config.trustProxy)
  let description: ReturnType<typeof describeApi> | undefined
  return apiRouter({
    operations: OPERATIONS,
    services: { ...dependencies, auth: dependencies, description: () => (description ??= describeApi(OPERATIONS)) },
    doors: { authenticator, sessions: browserSessions(handlers) },
    clientAddress: (request) => clientAddress(request, isProxy),
    log,
    bodyLimit: config.limits.body,
    requestsPerMinute: config.limits.apiRequests,
  })
}
