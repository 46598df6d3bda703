import { Router } from 'express'
import type { RunningOperation } from '../../../activity/activity.js'
import type { WebDependencies } from '../../dependencies.js'
import { actorOf } from '../../page/actor.js'
import { flash } from '../../page/flash.js'
import { page } from '../../page/page.js'
import { requireAdmin } from '../../page/visitor.js'
import { save } from '../../session/session.js'
import { idOf } from '../../page/request-values.js'

/** Who sent a request within this time counts as connected, ms. */
const CONNECTED_FOR = 15 * 60_000

/** `GET /activity`: what runs and who is there; `POST /activity/<id>/end` ends one transfer. */
export function activityRoutes({ activity }: Pick<WebDependencies, 'activity'>): Router {
  const router = Router()
  router.get('/activity', requireAdmin, async (request, response) => {
    const since = Date.now() - CONNECTED_FOR
    const clients = activity.clients().filter(({ lastSeenAt }) => lastSeenAt.getTime() >= since)
    const running = activity.running().map((operation) => ({ ...operation, ...progressOf(operation) }))
    await page(request, response, 'activity/activity', { title: 'Activity', running, clients, scripts: ['activity'] })
  })
  router.post('/activity/:id/end', requireAdmin, async (request, response) => {
    const ended = activity.end(String(idOf(request)), actorOf(request))
    const text = ended ? 'The transfer was ended.' : 'It was over already.'
    flash(request, { kind: ended ? 'success' : 'info', text })
    await save(request)
    response.redirect(303, '/activity')
  })
  return router
}

/** How far it is, and how fast. */
function progressOf({ bytes, total, startedAt }: RunningOperation) {
  const seconds = Math.max(0.001, (Date.now() - startedAt.getTime()) / 1000)
  const percent = total === undefined || total === 0 ? undefined : Math.min(100, Math.floor((bytes / total) * 100))
  return {
    percent,
    shownBytes: sizeText(bytes),
    shownTotal: total && sizeText(total),
    rate: `${sizeText(bytes / seconds)}/s`,
  }
}

function sizeText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${value >= 10 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`
}
