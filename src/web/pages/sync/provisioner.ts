import { Router } from 'express'
import type { Request, Response } from 'express'
import { ValidationError } from '../../../errors.js'
import { PROVISIONER_KINDS } from '../../../sync/provisioner.js'
import type { ProvisionerInfo, ProvisionerInput } from '../../../sync/provisioner-service.js'
import type { WebDependencies } from '../../dependencies.js'
import { actorOf } from '../../page/actor.js'
import { flash } from '../../page/flash.js'
import { formOf, submit, textsOf, type FormState } from '../../page/form.js'
import { page } from '../../page/page.js'
import { idOf } from '../../page/request-values.js'
import { requireAdmin } from '../../page/visitor.js'
import { save } from '../../session/session.js'

type Texts = Readonly<Record<string, string | undefined>>

const SECRETS = ['password', 'privateKey', 'passphrase', 'apiKey'] as const

/** `GET` and `POST /servers/<id>/provisioner`, `POST …/provisioner/remove`: how the accounts of a server are kept in step. */
export function provisionerRoutes({ servers, sync }: Pick<WebDependencies, 'servers' | 'sync'>): Router {
  const router = Router()
  const { provisioners } = sync
  const show = async (request: Request, response: Response, refused?: FormState) => {
    const server = await servers.get(idOf(request))
    const known = await provisioners.find(server.id)
    const form = refused ? atOwnFields(refused) : formOf(textsFrom(known))
    const data = { server, known, form, kinds: PROVISIONER_KINDS, secrets: SECRETS }
    await page(
      request,
      response,
      'sync/provisioner',
      { title: `Accounts on ${server.alias}`, ...data },
      refused ? 422 : 200,
    )
  }
  router.get('/servers/:id/provisioner', requireAdmin, (request, response) => show(request, response))
  router.post('/servers/:id/provisioner', requireAdmin, async (request, response) => {
    const id = idOf(request)
    const result = await submit(request.body, async () =>
      provisioners.set(id, inputOf(textsOf(request.body)), actorOf(request)),
    )
    if (!result.done) return show(request, response, result.form)
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

function textsFrom(known: ProvisionerInfo | undefined): Record<string, string | number | undefined> {
  if (!known) return { kind: 'system', settings: '' }
  const { kind, ...settings } = known.settings
  return {
    kind,
    settings: JSON.stringify(settings, null, 2),
    secretKind: known.secretKind,
    automatic: known.automatic ? 'on' : '',
    checkEvery: known.checkEvery,
    rotateEvery: known.rotateEvery,
  }
}

/** @throws ValidationError for settings that are not JSON */
function inputOf(texts: Texts): ProvisionerInput {
  const written = SECRETS.map((name) => [name, texts[name] ?? ''] as const).filter(([, text]) => text !== '')
  const given: Record<string, string> = Object.fromEntries(written)
  return {
    settings: { ...settingsOf(texts.settings ?? ''), kind: texts.kind } as ProvisionerInput['settings'],
    secretKind: texts.secretKind === 'key' ? 'key' : 'password',
    automatic: texts.automatic === 'on',
    checkEvery: numberOf(texts.checkEvery),
    rotateEvery: numberOf(texts.rotateEvery),
    ...(Object.keys(given).length > 0 && { secrets: given }),
    ...(texts.forget === 'on' && { secrets: null }),
  }
}

function settingsOf(text: string): object {
  if (text.trim() === '') return {}
  try {
    const settings: unknown = JSON.parse(text)
    if (typeof settings === 'object' && settings !== null) return settings
  } catch {
    // Said below: what the parser says of a position helps nobody here.
  }
  throw new ValidationError([{ field: 'settings', message: 'must be a JSON object, as { "homeBase": "/home" }' }])
}

/** Empty: null. What is no number is refused by the service. */
function numberOf(text: string | undefined): number | null {
  return text === undefined || text.trim() === '' ? null : Number(text)
}

/** `provisioner.settings.homeBase` is a problem of the field `settings`. */
function atOwnFields(form: FormState): FormState {
  const problems: Record<string, string> = {}
  for (const [field, text] of Object.entries(form.problems)) {
    const [own = field, ...rest] = field.replace(/^provisioner\./, '').split('.')
    problems[own === 'secrets' ? (rest[0] ?? own) : own] ??=
      own === 'settings' && rest.length > 0 ? `${rest.join('.')} ${text}` : text
  }
  return { ...form, problems }
}
