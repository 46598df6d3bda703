import { Router } from 'express'
import type { WebDependencies } from '../../dependencies.js'
import { page } from '../../page/page.js'
import { hrefWith, pagingOf } from '../../page/paging.js'
import { queryNumber, queryText } from '../../page/request-values.js'
import { requireAdmin } from '../../page/visitor.js'

const PAGE_SIZE = 50

/** `GET /permissions`: who may use which server. */
export function listPermissionsRoutes({ permissions }: Pick<WebDependencies, 'permissions'>): Router {
  const router = Router()
  router.get('/permissions', requireAdmin, async (request, response) => {
    const text = queryText(request, 'text')
    const wanted = text?.toLowerCase() ?? ''
    const all = await permissions.list()
    const fitting = all.filter(({ username, alias, remoteUser }) =>
      [username, alias, remoteUser].some((name) => name.toLowerCase().includes(wanted)),
    )
    const paging = pagingOf(fitting.length, PAGE_SIZE, queryNumber(request, 'page') ?? 1, (number) =>
      hrefWith('/permissions', { text, page: number }),
    )
    const items = fitting.slice((paging.page - 1) * PAGE_SIZE, paging.page * PAGE_SIZE)
    const data = { items, paging, text, none: all.length === 0, now: new Date() }
    await page(request, response, 'permissions/list', { title: 'Permissions', ...data })
  })
  return router
}
