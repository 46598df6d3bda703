import { Router, type Request, type Response } from 'express'
import { HttpError } from '../../../http/errors.js'
import type { Share } from '../../../shares/share.js'
import type { WebDependencies } from '../../dependencies.js'
import { actorOf } from '../../page/actor.js'
import { flash } from '../../page/flash.js'
import { formOf, submit, type FormState } from '../../page/form.js'
import { page } from '../../page/page.js'
import { idOf } from '../../page/request-values.js'
import { requireVisitor, visitorOf } from '../../page/visitor.js'
import { save } from '../../session/session.js'
import { changesOf } from './share-form.js'

/** `GET` and `POST /shared/by-me/<id>`: note and end of a share, by its owner. */
export function editShareRoutes({ shares }: Pick<WebDependencies, 'shares'>): Router {
  const router = Router()

  const showForm = async (request: Request, response: Response, share: Share, form: FormState, status = 200) => {
    const data = { title: 'Change the share', share, form, today: new Date().toISOString().slice(0, 10) }
    await page(request, response, 'shared/edit', data, status)
  }

  /** @throws HttpError 404 for what somebody else shares */
  const mine = async (request: Request): Promise<Share> => {
    const { userId } = visitorOf(request)
    const share = await shares.get(idOf(request), userId)
    if (share.ownerId !== userId) throw new HttpError(404, 'NOT_FOUND', 'There is nothing at this address.')
    return share
  }

  router.get('/shared/by-me/:id', requireVisitor, async (request, response) => {
    const share = await mine(request)
    const { note, endsAt } = share
    await showForm(request, response, share, formOf({ note, endsAt: endsAt?.toISOString().slice(0, 10) }))
  })

  router.post('/shared/by-me/:id', requireVisitor, async (request, response) => {
    const share = await mine(request)
    const changes = changesOf(request.body)
    // The form knows days only: one that was left as it is keeps its time.
    const sameDay = changes.endsAt === share.endsAt?.toISOString().slice(0, 10)
    const { endsAt, note } = changes
    const { userId } = visitorOf(request)
    const result = await submit(request.body, () =>
      shares.update(share.id, userId, sameDay ? { note } : { note, endsAt }, actorOf(request)),
    )
    if (!result.done) {
      await showForm(request, response, share, result.form, 422)
      return
    }
    flash(request, { kind: 'success', text: 'Saved.' })
    await save(request)
    response.redirect(303, '/shared/by-me')
  })
  return router
}
