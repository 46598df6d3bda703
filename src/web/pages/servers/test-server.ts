import { Router } from 'express'
import type { Request, Response } from 'express'
import { probeServer, type Probe } from '../../../servers/probe-server.js'
import type { Server } from '../../../servers/server.js'
import type { Login } from '../../../storage/driver.js'
import type { WebDependencies } from '../../dependencies.js'
import { textsOf } from '../../page/form.js'
import { page } from '../../page/page.js'
import { idOf } from '../../page/request-values.js'
import { requireAdmin } from '../../page/visitor.js'
import { shownPhase } from './failures.js'

type Dependencies = Pick<WebDependencies, 'servers' | 'permissions' | 'drivers'>

/** `GET /servers/<id>/test` offers the test of a connection, `POST` runs it and shows each step with its time. */
export function testServerRoutes(dependencies: Dependencies): Router {
  const { servers, drivers } = dependencies
  const router = Router()
  const show = async (request: Request, response: Response, server: Server, probe?: Probe, as?: string) => {
    const logins = await loginsOf(dependencies, server)
    const phases = probe?.phases.map(shownPhase)
    const changed = probe?.phases.at(-1)?.code === 'UNTRUSTED'
    const data = { server, logins, as, probe, phases, changed }
    await page(request, response, 'servers/test', { title: `Test ${server.alias}`, ...data })
  }
  router.get('/servers/:id/test', requireAdmin, async (request, response) => {
    await show(request, response, await servers.get(idOf(request)))
  })
  router.post('/servers/:id/test', requireAdmin, async (request, response) => {
    const server = await servers.get(idOf(request))
    const { as = '' } = textsOf(request.body)
    // A login is sent to nobody whom an admin has not confirmed.
    const login = server.trust.kind === 'first-use' ? undefined : await loginOf(dependencies, server, as)
    const probe = await probeServer(drivers, server, login, () => undefined)
    await show(request, response, server, probe, as)
  })
  return router
}

/** Whose login can be tried: the admin login and every permission with credentials. */
async function loginsOf({ permissions }: Dependencies, server: Server): Promise<{ value: string; text: string }[]> {
  const granted = await permissions.list({ serverId: server.id })
  const usable = granted.filter(({ credentials }) => credentials !== 'none')
  const admin = server.hasAdminPassword ? [{ value: 'admin', text: `Admin login (${server.adminUser ?? ''})` }] : []
  return [
    ...admin,
    ...usable.map(({ id, username, remoteUser }) => ({
      value: String(id),
      text: `${remoteUser}, login of ${username}`,
    })),
    { value: 'none', text: 'No login: connect and check only' },
  ]
}

async function loginOf(dependencies: Dependencies, server: Server, as: string): Promise<Login | undefined> {
  const offered = (await loginsOf(dependencies, server)).some(({ value }) => value === as)
  if (!offered || as === 'none') return undefined
  return as === 'admin' ? dependencies.servers.adminLogin(server.id) : dependencies.permissions.login(Number(as))
}
