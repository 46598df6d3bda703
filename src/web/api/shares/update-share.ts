import { shareChanges } from '../../../shares/share-input.js'
import { ok } from '../answers.js'
import { idParams } from '../input-values.js'
import { operation } from '../operation.js'
import { endsAtInBody, shareOf, shareSchema, tagOfShare, viewOfShare } from './share-resource.js'

export const updateShare = operation({
  id: 'shares.update',
  method: 'PATCH',
  path: '/shares/{id}',
  summary: 'Change note and end of a share of yours',
  scope: 'files:write',
  params: idParams,
  body: shareChanges.extend({ endsAt: endsAtInBody }),
  example: { endsAt: '2090-12-31' },
  etag: true,
  responses: { 200: { description: 'The share as it is now.', body: shareSchema } },
  async handle(call) {
    const { params, body, user, actor, services, match } = call
    const { userId } = user
    const share = await services.change(async (transaction) => {
      match(tagOfShare(await shareOf(call, params.id, transaction), userId))
      return services.shares.update(params.id, userId, body, actor, transaction)
    })
    return ok(viewOfShare(share, userId), { etag: tagOfShare(share, userId) })
  },
})
