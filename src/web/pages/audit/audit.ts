import { Router } from 'express'
import type { WebDependencies } from '../../dependencies.js'
import { page } from '../../page/page.js'
import { hrefWith } from '../../page/paging.js'
import { queryNumber } from '../../page/request-values.js'
import { requireAdmin } from '../../page/visitor.js'
import { auditFilterOf, auditQueryOf, GROUPS } from './audit-query.js'

const PAGE_SIZE = 100

/** `GET /audit`: what happened, the newest first. */
export function auditRoutes({ audit }: Pick<WebDependencies, 'audit'>): Router {
  const router = Router()
  router.get('/audit', requireAdmin, async (request, response) => {
    const query = auditQueryOf(request)
    const before = queryNumber(request, 'before')
    const { items, next } = await audit.search({ ...auditFilterOf(query), limit: PAGE_SIZE, before })
    const filtered = Object.values(query).some((value) => value !== undefined)
    const links = {
      older: next === undefined ? undefined : hrefWith('/audit', { ...query, before: next }),
      newest: before === undefined ? undefined : hrefWith('/audit', { ...query }),
      csv: hrefWith('/audit.csv', { ...query }),
      json: hrefWith('/audit.json', { ...query }),
    }
    const data = { items, query, filtered, links, groups: GROUPS }
    await page(request, response, 'audit/audit', { title: 'Audit log', ...data })
  })
  return router
}
