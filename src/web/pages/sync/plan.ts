import { Router } from 'express'
import type { Request, Response } from 'express'
import { REMOVALS, removalsIn } from '../../../sync/plan.js'
import type { WebDependencies } from '../../dependencies.js'
import { actorOf } from '../../page/actor.js'
import { EMPTY_FORM, submit, textsOf, type FormState } from '../../page/form.js'
import { page } from '../../page/page.js'
import { idOf } from '../../page/request-values.js'
import { requireAdmin } from '../../page/visitor.js'
import { wordsOfRun } from './run-words.js'

/** Steps on one page at most; a plan may hold thousands. */
const SHOWN = 500

/** `GET /sync/plans/<id>`: what there is to do and how far it is; `POST …/apply` and `…/abort`. */
export function syncPlanRoutes({ sync }: Pick<WebDependencies, 'sync'>): Router {
  const router = Router()
  const show = async (request: Request, response: Response, form?: FormState) => {
    const run = await sync.queue.run(idOf(request))
    const results = await sync.queue.steps({ runId: run.id })
    const byServer = new Map<string, (typeof results)[number]>()
    for (const step of results) byServer.set(`${step.serverId} ${step.account} ${step.kind}`, step)
    const plans = run.plan.map((plan) => ({
      ...plan,
      steps: plan.steps.slice(0, SHOWN).map((step) => ({
        ...step,
        removal: REMOVALS.has(step.kind),
        result: byServer.get(`${plan.serverId} ${step.account} ${step.kind}`),
      })),
      more: Math.max(0, plan.steps.length - SHOWN),
    }))
    const counts = await sync.queue.counts(run.id)
    const words = wordsOfRun(run, counts)
    const data = {
      ...{ run, plans, words, counts },
      removals: removalsIn(run.plan),
      maxRemovals: sync.synchroniser.maxRemovals,
      nextAttemptAt: results.find(({ state, nextAttemptAt }) => state === 'queued' && nextAttemptAt)?.nextAttemptAt,
      form: form ?? EMPTY_FORM,
      scripts: run.state === 'running' ? ['activity'] : [],
    }
    await page(request, response, 'sync/plan', { title: words.title, ...data }, form ? 422 : 200)
  }
  router.get('/sync/plans/:id', requireAdmin, (request, response) => show(request, response))
  router.post('/sync/plans/:id/apply', requireAdmin, async (request, response) => {
    const confirm = textsOf(request.body).confirm === 'on'
    const result = await submit(request.body, () =>
      sync.synchroniser.apply(idOf(request), actorOf(request), { confirm }),
    )
    if (!result.done) return show(request, response, result.form)
    response.redirect(303, `/sync/plans/${result.value.id}`)
  })
  router.post('/sync/plans/:id/abort', requireAdmin, async (request, response) => {
    const result = await submit(request.body, () => sync.synchroniser.abort(idOf(request), actorOf(request)))
    if (!result.done) return show(request, response, result.form)
    response.redirect(303, `/sync/plans/${result.value.id}`)
  })
  return router
}
