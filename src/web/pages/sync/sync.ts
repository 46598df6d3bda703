import { Router } from 'express'
import type { Request, Response } from 'express'
import { actorName } from '../../../audit/actor.js'
import { ConflictError, UnknownObjectError } from '../../../errors.js'
import { ENDINGS } from '../../../sync/account-decisions.js'
import type { WebDependencies } from '../../dependencies.js'
import { actorOf } from '../../page/actor.js'
import { flash } from '../../page/flash.js'
import { textsOf } from '../../page/form.js'
import { page } from '../../page/page.js'
import { idOf } from '../../page/request-values.js'
import { requireAdmin } from '../../page/visitor.js'
import { save } from '../../session/session.js'

/** Runs on the page. */
const HISTORY = 20

/** `GET /sync`: how far accounts are in step; `POST /sync/plan`, `…/adopt`, `…/rotate`, `…/accounts/<id>/ending`. */
export function syncRoutes({ sync, servers }: Pick<WebDependencies, 'sync' | 'servers'>): Router {
  const router = Router()
  router.get('/sync', requireAdmin, async (request, response) => {
    const managed = await sync.state.servers()
    const ids = new Set(managed.map(({ serverId }) => serverId))
    const others = (await servers.list()).filter(({ id }) => !ids.has(id))
    const runs = await Promise.all(
      (await sync.queue.runs(HISTORY)).map(async (run) => ({
        ...run,
        by: actorName(run.actor),
        steps: run.plan.reduce((sum, { steps }) => sum + steps.length, 0),
        counts: await sync.queue.counts(run.id),
      })),
    )
    await page(request, response, 'sync/sync', { title: 'Sync', managed, others, runs })
  })
  router.post('/sync/plan', requireAdmin, async (request, response) => {
    const { logins, serverId } = textsOf(request.body)
    const ids = serverId === undefined ? undefined : [Number(serverId)]
    const run = await sync.synchroniser.plan(ids, actorOf(request), { logins: logins === 'on' })
    response.redirect(303, `/sync/plans/${run.id}`)
  })
  router.post('/sync/adopt', requireAdmin, async (request, response) => {
    const { serverId, account = '' } = textsOf(request.body)
    await answer(request, response, async () => {
      await sync.decisions.adopt(Number(serverId), account, actorOf(request))
      return `${account} is managed now. Make a plan to see what that means.`
    })
  })
  router.post('/sync/rotate', requireAdmin, async (request, response) => {
    const { serverId, accountId } = textsOf(request.body)
    const filter = {
      ...(serverId !== undefined && { serverId: Number(serverId) }),
      ...(accountId !== undefined && { accountId: Number(accountId) }),
    }
    const run = await sync.decisions.rotate(filter, actorOf(request))
    if (run) return response.redirect(303, `/sync/plans/${run.id}`)
    await answer(request, response, () => Promise.resolve('None of these accounts has a secret of the gateway.'))
  })
  router.post('/sync/accounts/:id/ending', requireAdmin, async (request, response) => {
    const { ending } = textsOf(request.body)
    const chosen = ENDINGS.find((name) => name === ending)
    await answer(request, response, async () => {
      if (chosen) await sync.decisions.setEnding(idOf(request), chosen, actorOf(request))
      return 'Noted. Make a plan to see what that means.'
    })
  })
  return router
}

/** Back to the page, with what was done or why not. */
async function answer(request: Request, response: Response, work: () => Promise<string>): Promise<void> {
  try {
    flash(request, { kind: 'success', text: await work() })
  } catch (error) {
    if (!(error instanceof ConflictError || error instanceof UnknownObjectError)) throw error
    flash(request, { kind: 'danger', text: error.message })
  }
  await save(request)
  response.redirect(303, '/sync')
}
