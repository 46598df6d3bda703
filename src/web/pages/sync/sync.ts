import { Router } from 'express'
import type { Request, Response } from 'express'
import { ConflictError, UnknownObjectError } from '../../../errors.js'
import { ENDINGS } from '../../../sync/account-decisions.js'
import type { AccountStatus, ServerStatus } from '../../../sync/sync-state.js'
import type { WebDependencies } from '../../dependencies.js'
import { actorOf } from '../../page/actor.js'
import { flash } from '../../page/flash.js'
import { textsOf } from '../../page/form.js'
import { page } from '../../page/page.js'
import { idOf, queryNumber, queryText } from '../../page/request-values.js'
import { requireAdmin } from '../../page/visitor.js'
import { save } from '../../session/session.js'
import { wordsOfRun } from './run-words.js'
import { kindNamed } from './setting-fields.js'

/** Runs on the page. */
const HISTORY = 20
/** Accounts of one server on the page of all, and on its own. */
const SHOWN = 25
const SHOWN_ALONE = 1000

/**
 * `GET /sync`: what is not in step on each server, and what was done; with `?server=<id>` or `?user=<name>` all accounts of one.
 * `POST /sync/plan`, `…/adopt`, `…/rotate`, `…/accounts/<id>/ending`.
 */
export function syncRoutes({ sync, servers }: Pick<WebDependencies, 'sync' | 'servers'>): Router {
  const router = Router()
  router.get('/sync', requireAdmin, async (request, response) => {
    const all = await sync.state.servers()
    const [serverId, user] = [queryNumber(request, 'server'), queryText(request, 'user')]
    const alone = serverId !== undefined || user !== undefined
    const managed = all
      .filter((server) => serverId === undefined || server.serverId === serverId)
      .map((server) => shownOf(server, { alone, user }))
      .filter(({ total }) => user === undefined || total > 0)
    const ids = new Set(all.map(({ serverId }) => serverId))
    const others = alone ? [] : (await servers.list()).filter(({ id }) => !ids.has(id))
    const runs = alone
      ? []
      : await Promise.all(
          (await sync.queue.runs(HISTORY)).map(async (run) => ({
            ...run,
            words: wordsOfRun(run, await sync.queue.counts(run.id)),
            where: run.plan.map(({ alias }) => alias),
          })),
        )
    const counts = countsOf(managed.flatMap(({ all }) => all))
    const heading = user ?? (serverId === undefined ? undefined : managed[0]?.alias)
    await page(request, response, 'sync/sync', { title: 'Sync', managed, others, runs, counts, alone, heading })
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

/** The accounts that the page shows of a server: alone all, else those that want somebody's eye, the worst first. */
function shownOf(server: ServerStatus, { alone, user }: { alone: boolean; user: string | undefined }) {
  const all = server.accounts.filter(({ wanted }) => user === undefined || wanted?.username === user)
  const eye = alone ? all : all.filter(({ state }) => state !== 'in-step').sort((a, b) => badness(a) - badness(b))
  const accounts = eye.slice(0, alone ? SHOWN_ALONE : SHOWN)
  const kind = kindNamed(server.provisioner.settings.kind)?.label
  return {
    ...server,
    kind,
    all,
    accounts,
    total: all.length,
    more: eye.length - accounts.length,
    counts: countsOf(all),
  }
}

const WORST_FIRST = ['refused', 'missing', 'different', 'waiting', 'under-way', 'unknown', 'in-step', 'ended'] as const

const badness = ({ state }: AccountStatus): number => WORST_FIRST.indexOf(state)

/** How many accounts are in each state, the worst first; states without any are left out. */
function countsOf(accounts: readonly AccountStatus[]): { state: AccountStatus['state']; count: number }[] {
  return WORST_FIRST.map((state) => ({ state, count: accounts.filter((one) => one.state === state).length })).filter(
    ({ count }) => count > 0,
  )
}
