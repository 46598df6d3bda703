import { z } from 'zod'
import { ok } from '../answers.js'
import { operation } from '../operation.js'
import { cut, pageOf, paging } from '../page.js'
import { isWithinLimits, shareSchema, viewOfShare } from './share-resource.js'

export const listShares = operation({
  id: 'shares.list',
  method: 'GET',
  path: '/shares',
  summary: 'List what you share, or what is shared with you',
  scope: 'files:read',
  query: z.strictObject({
    with: z
      .enum(['others', 'me'])
      .default('others')
      .describe('`others`: what you share. `me`: what is shared with you.'),
    ...paging,
  }),
  responses: { 200: { description: 'One page, the newest first.', body: pageOf(shareSchema) } },
  async handle({ query, user, services }) {
    const { userId } = user
    const all = await (query.with === 'me' ? services.shares.sharedWith(userId) : services.shares.sharedBy(userId))
    const page = cut(
      all.filter((share) => isWithinLimits(user, share)),
      query,
    )
    return ok({ ...page, items: page.items.map((share) => viewOfShare(share, userId)) })
  },
})
