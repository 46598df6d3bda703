import { Router } from 'express'
import { addressMatcher } from '../../../config/options.js'
import { anyOf } from '../../../heap/signals.js'
import { requestClient } from '../../../http/request-client.js'
import { answerFor } from '../../../http/status.js'
import type { WebDependencies } from '../../dependencies.js'
import { readableSize } from '../../folder-page.js'
import { requireVisitor, visitorOf } from '../../page/visitor.js'

/** Milliseconds that the card waits. */
const PATIENCE = 15_000

/** For the script of the dashboard: asks one server, and says how that went. */
export function freeSpaceRoutes({ treeFor, config }: Pick<WebDependencies, 'treeFor' | 'config'>): Router {
  const router = Router()
  const isProxy = addressMatcher(config.trustProxy)
  router.get('/dashboard/free-space/:alias', requireVisitor, async (request, response) => {
    const visitor = visitorOf(request)
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    response.set('Cache-Control', 'no-store')
    try {
      const tree = await treeFor(visitor, requestClient(request, visitor, isProxy))
      const signal = anyOf(gone.signal, AbortSignal.timeout(PATIENCE))
      const space = await tree.freeSpace(`/${String(request.params['alias'])}`, { signal })
      response.json({ free: space === undefined ? null : readableSize(space.available) })
    } catch (error) {
      if (gone.signal.aborted) return
      // 200: that a server does not answer is what was asked, and no error of this page.
      const { code, message } = answerFor(error)
      response.json({ problem: { code, message } })
    }
  })
  return router
}
