import { Router } from 'express'
import type { HealthSample } from '../../../health/health.js'
import type { WebDependencies } from '../../dependencies.js'
import { page } from '../../page/page.js'
import { requireAdmin } from '../../page/visitor.js'

const STEP = 5 * 60_000
/** Samples of a day. */
const STEPS = 288

/** `GET /servers/health`: how every server is, and was in the last 24 hours. */
export function serversHealthRoutes({ servers, health }: Pick<WebDependencies, 'servers' | 'health'>): Router {
  const router = Router()
  router.get('/servers/health', requireAdmin, async (request, response) => {
    const now = Date.now()
    const items = await Promise.all(
      (await servers.list()).map(async (server) => {
        const samples = await health.history(server.id)
        return { server, health: health.of(server.id), bars: barsOf(samples, now), summary: summaryOf(samples) }
      }),
    )
    await page(request, response, 'servers/health', { title: 'Health of the servers', items, steps: STEPS })
  })
  return router
}

/** Where each sample stands in the chart: 0 is 24 hours ago, and equal neighbours are one bar. */
function barsOf(samples: readonly HealthSample[], now: number) {
  const first = Math.floor(now / STEP) - STEPS + 1
  const bars: { at: number; length: number; state: HealthSample['state'] }[] = []
  for (const { at, state } of samples) {
    const place = Math.floor(at.getTime() / STEP) - first
    if (place < 0 || place >= STEPS) continue
    const last = bars.at(-1)
    if (last?.state === state && last.at + last.length === place) last.length++
    else bars.push({ at: place, length: 1, state })
  }
  return bars
}

/** The chart in words. */
function summaryOf(samples: readonly HealthSample[]): string {
  const known = samples.filter(({ state }) => state !== 'unknown' && state !== 'disabled')
  if (known.length === 0) return 'no news in the last 24 hours'
  const answered = known.filter(({ state }) => state !== 'down').length
  return `answered in ${((answered / known.length) * 100).toFixed(answered === known.length ? 0 : 1)} % of the last 24 hours`
}
