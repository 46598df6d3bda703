import { noContent } from '../answers.js'
import { idParams } from '../input-values.js'
import { operation } from '../operation.js'
import { shareOf, tagOfShare } from './share-resource.js'

export const endShare = operation({
  id: 'shares.end',
  method: 'DELETE',
  path: '/shares/{id}',
  summary: 'End a share',
  description: 'Of yours, or one that you are given and want no more. Downloads under way end.',
  scope: 'files:write',
  params: idParams,
  etag: true,
  responses: { 204: { description: 'It has ended.' } },
  async handle(call) {
    const { params, user, actor, services, match } = call
    await services.change(async (transaction) => {
      match(tagOfShare(await shareOf(call, params.id, transaction), user.userId))
      await services.shares.end(params.id, user.userId, actor, transaction)
    })
    return noContent()
  },
})
