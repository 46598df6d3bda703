import { Router, type Request, type Response } from 'express'
import { SCOPES, type Scope } from '../../../auth/scope.js'
import type { WebDependencies } from '../../dependencies.js'
import { actorOf } from '../../page/actor.js'
import { flash } from '../../page/flash.js'
import { EMPTY_FORM, listOf, submit, type FormState } from '../../page/form.js'
import { ownOrigin } from '../../page/origin.js'
import { page } from '../../page/page.js'
import { requireVisitor, visitorOf } from '../../page/visitor.js'
import { secretOf } from './secret-form.js'

type Dependencies = Pick<WebDependencies, 'apiTokens' | 'permissions' | 'config'>
type TokenScope = Exclude<Scope, 'account'>

const TEXTS: Readonly<Record<TokenScope, string>> = {
  'files:read': 'Read files',
  'files:write': 'Change files',
  'admin:read': 'Read users, servers, permissions and the audit log',
  'admin:write': 'Change users, servers and permissions',
}

/** API tokens of the visitor: made, shown once, revoked. */
export function apiTokenRoutes({ apiTokens, permissions, config }: Dependencies): Router {
  const router = Router()
  const originOf = ownOrigin(config.publicUrl)

  const showForm = async (request: Request, response: Response, form: FormState = EMPTY_FORM, status = 200) => {
    const { userId, admin } = visitorOf(request)
    const servers = await permissions.list({ userId })
    const chosen = new Set(listOf(request.body, 'servers').map(Number))
    const scopes = grantable(admin).map((value) => ({ value, text: TEXTS[value] }))
    const chosenScopes = new Set(listOf(request.body, 'scopes'))
    const data = { title: 'New API token', form, servers, chosen, scopes, chosenScopes }
    await page(request, response, 'account/new-api-token', data, status)
  }

  router.get('/account/api-tokens/new', requireVisitor, (request, response) => showForm(request, response))

  router.post('/account/api-tokens', requireVisitor, async (request, response) => {
    const { userId, admin } = visitorOf(request)
    const wanted = new Set(listOf(request.body, 'scopes'))
    const scopes = grantable(admin).filter((scope) => wanted.has(scope))
    const input = { ...secretOf(request), scopes }
    const result = await submit(request.body, () => apiTokens.create(userId, input, actorOf(request)))
    if (!result.done) {
      await showForm(request, response, result.form, 422)
      return
    }
    const { token, secret } = result.value
    const data = { title: 'API token', name: token.name, secret, origin: originOf(request) }
    await page(request, response, 'account/api-token', data, 201)
  })

  router.post('/account/api-tokens/:id/revoke', requireVisitor, async (request, response) => {
    await apiTokens.revoke(visitorOf(request).userId, Number(request.params['id']), actorOf(request))
    flash(request, { kind: 'success', text: 'The API token is revoked.' })
    response.redirect(303, '/account#api-tokens')
  })

  return router
}

function grantable(admin: boolean): TokenScope[] {
  const scopes = SCOPES.filter((scope): scope is TokenScope => scope !== 'account')
  return admin ? scopes : scopes.filter((scope) => !scope.startsWith('admin:'))
}
