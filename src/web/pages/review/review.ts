import { Router } from 'express'
import type { Share } from '../../../shares/share.js'
import type { WebDependencies } from '../../dependencies.js'
import { csvLine, sendCsv } from '../../page/csv.js'
import { page } from '../../page/page.js'
import { hrefWith, pagingOf } from '../../page/paging.js'
import { queryNumber, queryText } from '../../page/request-values.js'
import { requireAdmin } from '../../page/visitor.js'
import { reviewAccess, type ReviewDependencies } from './reviewed-access.js'

const PAGE_SIZE = 100

/** `GET /review` and `GET /review.csv`: who can reach what, with which login, and when it was used last. */
export function reviewRoutes(dependencies: ReviewDependencies & Pick<WebDependencies, 'shares'>): Router {
  const router = Router()
  router.get('/review', requireAdmin, async (request, response) => {
    const text = queryText(request, 'text')
    const all = await reviewAccess(dependencies, text)
    const paging = pagingOf(all.length, PAGE_SIZE, queryNumber(request, 'page') ?? 1, (number) =>
      hrefWith('/review', { text, page: number }),
    )
    const items = all.slice((paging.page - 1) * PAGE_SIZE, paging.page * PAGE_SIZE)
    const shares = sharesFitting(await dependencies.shares.list(), text)
    const data = {
      items,
      paging,
      text,
      shares: shares.slice(0, PAGE_SIZE),
      shared: shares.length,
      csv: hrefWith('/review.csv', { text }),
    }
    await page(request, response, 'review/review', { title: 'Access review', ...data })
  })
  router.get('/review.csv', requireAdmin, async (request, response) => {
    const all = await reviewAccess(dependencies, queryText(request, 'text'))
    const head = ['user', 'server', 'login', 'access', 'folder', 'ends', 'blocked', 'last used', 'login rejected']
    const lines = all.map(({ permission, blocked, lastUsedAt, loginRejectedAt }) => {
      const { username, alias, remoteUser, access, root, endsAt } = permission
      return csvLine([username, alias, remoteUser, access, root, endsAt, blocked, lastUsedAt, loginRejectedAt])
    })
    sendCsv(response, 'access-review', [csvLine(head), ...lines])
  })
  return router
}

function sharesFitting(shares: readonly Share[], text: string | undefined): readonly Share[] {
  const wanted = text?.toLowerCase() ?? ''
  return shares.filter(({ owner, recipient, path }) =>
    [owner, recipient, path].some((part) => part.toLowerCase().includes(wanted)),
  )
}
