import { Router } from 'express'
import type { Request, Response } from 'express'
import { ValidationError } from '../../../errors.js'
import type { NewPermission } from '../../../permissions/permission-input.js'
import type { WebDependencies } from '../../dependencies.js'
import { actorOf } from '../../page/actor.js'
import { flash } from '../../page/flash.js'
import { formOf, listOf, submit, textsOf, type FormState } from '../../page/form.js'
import { page } from '../../page/page.js'
import { queryNumber } from '../../page/request-values.js'
import { requireAdmin } from '../../page/visitor.js'
import { save } from '../../session/session.js'
import { atOwnFields, credentialsIn, permissionFieldsOf } from './permission-form.js'

/** Permissions that one form may grant. */
const MOST = 200

interface Chosen {
  readonly users: readonly number[]
  readonly servers: readonly number[]
}

type Dependencies = Pick<WebDependencies, 'users' | 'servers' | 'permissions'>

/** `GET /permissions/new` and `POST /permissions`: servers to users, several of both at once; all or none. */
export function grantRoutes({ users, servers, permissions }: Dependencies): Router {
  const router = Router()
  const show = async (request: Request, response: Response, chosen: Chosen, form: FormState, status: number) => {
    const pairs = (await permissions.list()).map(({ userId, serverId }) => `${userId} ${serverId}`)
    const [allUsers, allServers] = [await users.list(), await servers.list()]
    const data = { allUsers, allServers, granted: new Set(pairs), chosen, form }
    await page(request, response, 'permissions/grant', { title: 'Grant servers to users', ...data }, status)
  }
  router.get('/permissions/new', requireAdmin, async (request, response) => {
    const [user, server] = [queryNumber(request, 'user'), queryNumber(request, 'server')]
    const chosen = { users: user === undefined ? [] : [user], servers: server === undefined ? [] : [server] }
    await show(request, response, chosen, formOf({ access: 'read-write' }), 200)
  })
  router.post('/permissions', requireAdmin, async (request, response) => {
    const chosen = { users: numbersIn(request.body, 'users'), servers: numbersIn(request.body, 'servers') }
    const result = await submit(request.body, async () =>
      permissions.grantAll(grantsOf(chosen, textsOf(request.body)), actorOf(request)),
    )
    if (!result.done) {
      await show(request, response, chosen, atOwnFields(result.form), 422)
      return
    }
    const { value: granted } = result
    const only = granted.length === 1 ? granted[0] : undefined
    const text = only ? `${only.username} may use ${only.alias} now.` : `${granted.length} permissions were granted.`
    flash(request, { kind: 'success', text })
    await save(request)
    response.redirect(303, only ? `/permissions/${only.id}` : '/permissions')
  })
  return router
}

function numbersIn(body: unknown, name: string): number[] {
  return listOf(body, name).flatMap((text) => (/^[1-9]\d{0,14}$/.test(text) ? [Number(text)] : []))
}

/** @throws ValidationError */
function grantsOf({ users, servers }: Chosen, texts: Readonly<Record<string, string>>): NewPermission[] {
  const problems = [
    ...(users.length === 0 ? [{ field: 'users', message: 'must be chosen: tick at least one' }] : []),
    ...(servers.length === 0 ? [{ field: 'servers', message: 'must be chosen: tick at least one' }] : []),
    ...(users.length * servers.length > MOST
      ? [{ field: 'users', message: `and servers would make more than ${MOST} permissions` }]
      : []),
  ]
  if (problems.length > 0) throw new ValidationError(problems)
  const fields = permissionFieldsOf(texts)
  const credentials = credentialsIn(texts)
  return users.flatMap((userId) =>
    servers.map((serverId) => ({ userId, serverId, ...fields, ...(credentials && { credentials }) })),
  )
}
