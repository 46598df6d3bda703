import { Router } from 'express'
import { ROLES } from '../../../users/user-input.js'
import { USER_SORTS, type UserSort } from '../../../users/user-service.js'
import type { WebDependencies } from '../../dependencies.js'
import { page } from '../../page/page.js'
import { hrefWith, pagingOf } from '../../page/paging.js'
import { queryChoice, queryNumber, queryText } from '../../page/request-values.js'
import { requireAdmin } from '../../page/visitor.js'

const PAGE_SIZE = 50

/** `GET /users`: everybody, to search, sort and page through. */
export function listUsersRoutes({ users }: Pick<WebDependencies, 'users'>): Router {
  const router = Router()
  router.get('/users', requireAdmin, async (request, response) => {
    const filter = {
      text: queryText(request, 'text'),
      role: queryChoice(request, 'role', ROLES),
      state: queryChoice(request, 'state', ['active', 'disabled']),
    }
    const sort = queryChoice(request, 'sort', USER_SORTS)
    const wanted = queryNumber(request, 'page') ?? 1
    const search = { text: filter.text, role: filter.role, disabled: disabledOf(filter.state), sort }
    const found = await users.search({ ...search, offset: (wanted - 1) * PAGE_SIZE, limit: PAGE_SIZE })
    const paging = pagingOf(found.total, PAGE_SIZE, wanted, (number) =>
      hrefWith('/users', { ...filter, sort, page: number }),
    )
    if (paging.page !== wanted) {
      response.redirect(303, hrefWith('/users', { ...filter, sort, page: paging.page }))
      return
    }
    const filtered = Object.values(filter).some((value) => value !== undefined)
    const data = { items: found.items, paging, filter, sort, filtered, sortLink: sortLinks(filter, sort ?? 'username') }
    await page(request, response, 'users/list', { title: 'Users', ...data })
  })
  return router
}

function disabledOf(state: 'active' | 'disabled' | undefined): boolean | undefined {
  return state === undefined ? undefined : state === 'disabled'
}

/** For the heads of the columns: where a click leads, and what the column says now. */
function sortLinks(filter: Readonly<Record<string, string | undefined>>, current: UserSort) {
  return (column: string) => {
    const ascending = current === column
    const descending = current === `-${column}`
    return {
      href: hrefWith('/users', { ...filter, sort: ascending ? `-${column}` : column }),
      direction: ascending ? 'ascending' : descending ? 'descending' : undefined,
    }
  }
}
