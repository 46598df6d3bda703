import { ok } from '../answers.js'
import { idParams } from '../input-values.js'
import { operation } from '../operation.js'
import { shareOf, shareSchema, tagOfShare, viewOfShare } from './share-resource.js'

export const getShare = operation({
  id: 'shares.get',
  method: 'GET',
  path: '/shares/{id}',
  summary: 'Get a share of yours, or one that you are given',
  scope: 'files:read',
  params: idParams,
  etag: true,
  responses: { 200: { description: 'The share.', body: shareSchema } },
  async handle(call) {
    const { userId } = call.user
    const share = await shareOf(call, call.params.id)
    return ok(viewOfShare(share, userId), { etag: tagOfShare(share, userId) })
  },
})
