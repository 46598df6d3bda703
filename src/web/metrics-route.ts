import type { Request, Response } from 'express'
import { addressMatcher } from '../config/options.js'
import { clientAddress } from '../http/client-address.js'
import { HttpError } from '../http/errors.js'
import type { Metrics } from '../metrics/metrics.js'
import type { WebDependencies } from './dependencies.js'
import { requireUser } from './require-user.js'

/** `/metrics` for Prometheus, to whom `metrics.access` says. */
export function metricsRoute(
  metrics: Pick<Metrics, 'text' | 'contentType'>,
  { authenticate, config }: Pick<WebDependencies, 'authenticate' | 'config'>,
) {
  const isNear = addressMatcher(config.metrics.allow)
  const isProxy = addressMatcher(config.trustProxy)
  return async (request: Request, response: Response): Promise<void> => {
    const { access } = config.metrics
    if (access === 'off') throw new HttpError(404, 'NOT_FOUND', 'There is nothing at this address.')
    if (access === 'token' && !comesFrom(request, isNear, isProxy)) {
      const { scopes } = await requireUser(request, authenticate)
      if (!scopes.has('admin:read')) {
        throw new HttpError(403, 'SCOPE', 'This is for tokens of an admin with the scope admin:read.')
      }
    }
    response
      .set('Cache-Control', 'no-store')
      .type(metrics.contentType)
      .send(await metrics.text())
  }
}

/** What a proxy that nobody told us about passes on does not come from the address of that proxy. */
function comesFrom(
  request: Request,
  isNear: (address: string) => boolean,
  isProxy: (address: string) => boolean,
): boolean {
  const passedOn = ['x-forwarded-for', 'forwarded', 'via', 'x-real-ip'].some((name) => name in request.headers)
  if (passedOn && !isProxy(request.socket.remoteAddress ?? '')) return false
  return isNear(clientAddress(request, isProxy))
}
