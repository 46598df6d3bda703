import { Router } from 'express'
import type { Health } from '../../../health/health.js'
import type { Permission } from '../../../permissions/permission-service.js'
import type { WebDependencies } from '../../dependencies.js'
import { page } from '../../page/page.js'
import { requireVisitor, visitorOf } from '../../page/visitor.js'

type Dependencies = Pick<WebDependencies, 'permissions' | 'servers' | 'health' | 'usage'>

export interface ServerCard {
  readonly permission: Permission
  readonly state: CardState
  readonly since: Date | undefined
  readonly lastUsedAt: Date | undefined
  /** Whether opening it makes sense. */
  readonly usable: boolean
}

export type CardState = Health['state'] | 'login-rejected' | 'ended'

/** The servers of the visitor, from what is known without asking one: a dead server never delays the page. */
export function dashboardRoutes({ permissions, servers, health, usage }: Dependencies): Router {
  const router = Router()
  router.get('/dashboard', requireVisitor, async (request, response) => {
    const { userId } = visitorOf(request)
    const permitted = await permissions.list({ userId })
    const registered = new Map((await servers.list()).map((server) => [server.id, server]))
    const used = await usage?.of(permitted.map(({ id }) => id))
    const cards = permitted.map((permission): ServerCard => {
      const { id, serverId } = permission
      const known = health?.of(serverId)
      const state = stateOf(permission, registered.get(serverId), known, used?.get(id)?.loginRejectedAt)
      const usable = state !== 'disabled' && state !== 'ended'
      return { permission, state, since: known?.since, lastUsedAt: used?.get(id)?.lastUsedAt, usable }
    })
    await page(request, response, 'dashboard/dashboard', { title: 'Dashboard', cards, scripts: ['dashboard'] })
  })
  return router
}

function stateOf(
  { endsAt }: Permission,
  server: { readonly enabled: boolean } | undefined,
  health: Health | undefined,
  loginRejectedAt: Date | undefined,
): CardState {
  if (endsAt && endsAt.getTime() <= Date.now()) return 'ended'
  if (server?.enabled === false) return 'disabled'
  return loginRejectedAt ? 'login-rejected' : (health?.state ?? 'unknown')
}
