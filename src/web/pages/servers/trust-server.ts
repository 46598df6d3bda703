import { Router } from 'express'
import type { Request, Response } from 'express'
import { normalizeFingerprint } from '../../../servers/fingerprint.js'
import { endpointOf } from '../../../servers/server-row.js'
import type { Server } from '../../../servers/server.js'
import type { WebDependencies } from '../../dependencies.js'
import { actorOf } from '../../page/actor.js'
import { flash } from '../../page/flash.js'
import { EMPTY_FORM, submit, textsOf, type FormState } from '../../page/form.js'
import { page } from '../../page/page.js'
import { idOf } from '../../page/request-values.js'
import { requireAdmin } from '../../page/visitor.js'
import { save } from '../../session/session.js'
import { sentenceOf } from './failures.js'

interface Scan {
  /** What the server showed. */
  readonly shown?: string | undefined
  /** Why it showed nothing. */
  readonly failure?: string | undefined
}

/** `GET /servers/<id>/trust` says who is trusted, `POST …/trust/scan` looks, `POST …/trust` confirms what was shown. */
export function trustServerRoutes({ servers, drivers }: Pick<WebDependencies, 'servers' | 'drivers'>): Router {
  const router = Router()
  const show = async (request: Request, response: Response, server: Server, scan: Scan, refused?: FormState) => {
    const known = server.trust.kind === 'pinned' ? server.trust.fingerprints : []
    const { shown } = scan
    const changed = shown !== undefined && known.length > 0 && !known.includes(shown)
    const data = { server, known, ...scan, shown, failure: scan.failure, changed, form: refused ?? EMPTY_FORM }
    await page(request, response, 'servers/trust', { title: `Trust of ${server.alias}`, ...data }, refused ? 422 : 200)
  }
  router.get('/servers/:id/trust', requireAdmin, async (request, response) => {
    await show(request, response, await servers.get(idOf(request)), {})
  })
  router.post('/servers/:id/trust/scan', requireAdmin, async (request, response) => {
    const server = await servers.get(idOf(request))
    await show(request, response, server, await scan(server))
  })
  router.post('/servers/:id/trust', requireAdmin, async (request, response) => {
    const server = await servers.get(idOf(request))
    const { fingerprint = '', publicCa, add } = textsOf(request.body)
    const known = server.trust.kind === 'pinned' ? server.trust.fingerprints : []
    const wanted = add === 'on' ? [...known, fingerprint] : [fingerprint]
    const result = await submit(request.body, () =>
      servers.setTrust(server.id, publicCa === 'on' ? { publicCa: true } : { fingerprint: wanted }, actorOf(request)),
    )
    if (!result.done) {
      const problems = Object.values(result.form.problems)
      await show(request, response, server, {}, { ...result.form, problems: { fingerprint: problems[0] ?? '' } })
      return
    }
    flash(request, {
      kind: 'success',
      text: `The gateway knows now how to recognise ${server.alias}. Test the connection next.`,
    })
    await save(request)
    response.redirect(303, `/servers/${server.id}/test`)
  })

  /** Asks the server who it is; nothing is sent to it. */
  async function scan(server: Server): Promise<Scan> {
    try {
      const shown = await drivers.driverFor(server.protocol).fingerprint(endpointOf(server))
      if (shown === undefined) return { failure: 'The server shows nothing by which it could be recognised.' }
      return { shown: normalizeFingerprint(shown) ?? shown }
    } catch (error) {
      return { failure: sentenceOf(error) }
    }
  }
  return router
}
