import { Router } from 'express'
import type { Request, Response } from 'express'
import { ValidationError } from '../../../errors.js'
import type { ProvisionerInfo } from '../../../sync/provisioner-service.js'
import type { WebDependencies } from '../../dependencies.js'
import { actorOf } from '../../page/actor.js'
import { flash } from '../../page/flash.js'
import { EMPTY_FORM, submit, textsOf, type FormState } from '../../page/form.js'
import { page } from '../../page/page.js'
import { idOf } from '../../page/request-values.js'
import { requireAdmin } from '../../page/visitor.js'
import { save } from '../../session/session.js'
import { atOwnFields, logsInByItself, provisionerFormOf } from './provisioner-input.js'
import { KINDS, kindNamed, textsOfSettings, type KindOfAccounts } from './setting-fields.js'

/**
 * `GET /servers/<id>/provisioner`: which kind, and with `?kind=` or once one is stored its form; `POST` of that form;
 * `POST …/provisioner/remove`. How the accounts of a server are kept in step.
 */
export function provisionerRoutes({ servers, sync }: Pick<WebDependencies, 'servers' | 'sync'>): Router {
  const router = Router()
  const { provisioners } = sync
  const show = async (request: Request, response: Response, refused?: { kind: unknown; form: FormState }) => {
    const server = await servers.get(idOf(request))
    const known = await provisioners.find(server.id)
    const named = refused?.kind ?? request.query.kind
    const kind = kindNamed(named ?? known?.settings.kind)
    const now = kindNamed(known?.settings.kind)
    const data = { server, known, now, kind, kinds: KINDS, title: `Accounts on ${server.alias}` }
    const status = refused ? 422 : 200
    if (!kind) return page(request, response, 'sync/kinds', { ...data, form: refused?.form ?? EMPTY_FORM }, status)
    const stored = known?.settings.kind === kind.kind ? known : undefined
    const secretsSet = stored ? (await provisioners.storedSecrets(server.id)).map((name) => `secrets.${name}`) : []
    const form = refused?.form ?? { values: textsFrom(kind, stored, known), problems: {} }
    const more = { labels: labelsOf(kind), secretsSet, needsSsh: !logsInByItself(server) }
    await page(request, response, 'sync/provisioner', { ...data, form, ...more }, status)
  }
  router.get('/servers/:id/provisioner', requireAdmin, (request, response) => show(request, response))
  router.post('/servers/:id/provisioner', requireAdmin, async (request, response) => {
    const server = await servers.get(idOf(request))
    const texts = textsOf(request.body)
    const result = await submit(request.body, async () => {
      const kind = kindNamed(texts.kind)
      if (!kind) throw new ValidationError([{ field: 'kind', message: 'must be one of these' }])
      const same = (await provisioners.find(server.id))?.settings.kind === kind.kind
      const stored = same ? await provisioners.storedSecrets(server.id) : []
      const { input, secrets } = provisionerFormOf(request.body, kind, server, stored)
      await provisioners.set(server.id, { ...input, secrets }, actorOf(request))
    })
    if (!result.done) {
      return show(request, response, { kind: texts.kind ?? '', form: atOwnFields(result.form, request.body) })
    }
    if (texts.then === 'plan') {
      const run = await sync.synchroniser.plan([server.id], actorOf(request))
      return response.redirect(303, `/sync/plans/${run.id}`)
    }
    flash(request, { kind: 'success', text: 'Saved. Make a plan to see what that means.' })
    await save(request)
    response.redirect(303, '/sync')
  })
  router.post('/servers/:id/provisioner/remove', requireAdmin, async (request, response) => {
    await provisioners.remove(idOf(request), actorOf(request))
    flash(request, { kind: 'success', text: 'The accounts of the server are left alone from now on.' })
    await save(request)
    response.redirect(303, '/sync')
  })
  return router
}

/** Labels of fields, for the list of what is wrong. */
function labelsOf(kind: KindOfAccounts): Record<string, string> {
  const fields = [...kind.settings.flatMap((one) => (one.input === 'group' ? one.fields : [one])), ...kind.secrets]
  const own = { checkEvery: 'Check every (minutes)', rotateEvery: 'New secrets every (days)' }
  return { ...Object.fromEntries(fields.map(({ name, label }) => [name, label])), ...own }
}

/** @param stored of the same kind @param known of any: what it says of checks holds for all kinds */
function textsFrom(
  kind: KindOfAccounts,
  stored: ProvisionerInfo | undefined,
  known: ProvisionerInfo | undefined,
): Record<string, string> {
  return {
    ...textsOfSettings(kind, stored?.settings),
    secretKind: stored?.secretKind ?? 'password',
    automatic: known?.automatic ? 'on' : '',
    checkEvery: String(known?.checkEvery ?? ''),
    rotateEvery: String(known?.rotateEvery ?? ''),
  }
}
