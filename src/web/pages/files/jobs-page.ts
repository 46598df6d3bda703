import { Router } from 'express'
import { HttpError } from '../../../http/errors.js'
import { isOpen } from '../../../jobs/jobs.js'
import type { WebDependencies } from '../../dependencies.js'
import { readableSize } from '../../folder-page.js'
import { page } from '../../page/page.js'
import { requireVisitor, visitorOf } from '../../page/visitor.js'
import { wantsPage } from '../../page/wants-page.js'
import { answerAction } from './answer-action.js'

/** `/jobs`: the visitor's copies and moves, as a page or as JSON; `POST /jobs/<id>/cancel` ends one. */
export function jobsRoutes({ jobs }: Pick<WebDependencies, 'jobs'>): Router {
  const router = Router()
  router.get('/jobs', requireVisitor, async (request, response) => {
    const mine = jobs.list(visitorOf(request).userId)
    response.vary('Accept')
    if (!wantsPage(request)) {
      const shown = mine.map(({ id, title, state, bytes, total, message, createdAt, endedAt }) => {
        return { id, title, state, bytes, total: total ?? null, message, createdAt, endedAt: endedAt ?? null }
      })
      response.set('Cache-Control', 'no-store').json({ jobs: shown })
      return
    }
    await page(request, response, 'files/jobs', {
      title: 'Copies and moves',
      jobs: mine,
      isOpen,
      readableSize,
      styles: ['files'],
    })
  })
  router.post('/jobs/:id/cancel', requireVisitor, (request, response) => {
    const { id } = request.params
    if (typeof id !== 'string' || !jobs.cancel(visitorOf(request).userId, id)) {
      throw new HttpError(404, 'NO_SUCH_JOB', 'There is no such copy or move under way.')
    }
    answerAction(request, response, { text: 'Cancelled.', back: '/jobs' })
  })
  return router
}
