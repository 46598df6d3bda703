import { z } from 'zod'
import { csvLine } from '../../page/csv.js'
import { reviewAccess, type ReviewedAccess } from '../../pages/review/reviewed-access.js'
import { download, ok } from '../answers.js'
import { searchText } from '../input-values.js'
import { operation } from '../operation.js'
import { cut, pageOf, paging } from '../page.js'

const filter = { text: searchText.optional().describe('In the username, the alias or the login.') }

const reviewedSchema = z
  .object({
    permissionId: z.int(),
    userId: z.int(),
    username: z.string(),
    serverId: z.int(),
    alias: z.string(),
    remoteUser: z.string().describe('The login on the server.'),
    access: z.enum(['read-write', 'read-only']),
    root: z.string().nullable(),
    endsAt: z.iso.datetime().nullable(),
    blocked: z
      .enum(['user disabled', 'server disabled', 'ended'])
      .nullable()
      .describe('Why nothing is reached by it at the moment.'),
    lastUsedAt: z.iso.datetime().nullable(),
    loginRejectedAt: z.iso
      .datetime()
      .nullable()
      .describe('When the server last refused the login; null when it works.'),
  })
  .meta({ id: 'ReviewedAccess' })

export const listReview = operation({
  id: 'review.list',
  method: 'GET',
  path: '/review',
  summary: 'Review who can reach what, with which login',
  scope: 'admin:read',
  query: z.strictObject({ ...filter, ...paging }),
  responses: { 200: { description: 'One page, by user and alias.', body: pageOf(reviewedSchema) } },
  async handle({ query: { text, ...range }, services }) {
    const page = cut(await reviewAccess(services, text), range)
    return ok({ ...page, items: page.items.map(viewOf) })
  },
})

const COLUMNS = [
  'username',
  'alias',
  'remoteUser',
  'access',
  'root',
  'endsAt',
  'blocked',
  'lastUsedAt',
  'loginRejectedAt',
] as const

export const exportReview = operation({
  id: 'review.export',
  method: 'GET',
  path: '/review/export',
  summary: 'Export who can reach what as CSV',
  scope: 'admin:read',
  query: z.strictObject(filter),
  responses: { 200: { description: 'A line for each permission.', stream: true, type: 'text/csv' } },
  async handle({ query: { text }, services }) {
    const views = (await reviewAccess(services, text)).map(viewOf)
    const lines = views.map((view) => csvLine(COLUMNS.map((name) => view[name] ?? '')))
    return download([csvLine(COLUMNS), ...lines], { type: 'text/csv', filename: 'access-review.csv' })
  },
})

function viewOf({ permission, blocked, lastUsedAt, loginRejectedAt }: ReviewedAccess): z.input<typeof reviewedSchema> {
  const { id, userId, username, serverId, alias, remoteUser, access, root, endsAt } = permission
  return {
    permissionId: id,
    ...{ userId, username, serverId, alias, remoteUser, access },
    root: root ?? null,
    endsAt: endsAt?.toISOString() ?? null,
    blocked: blocked ?? null,
    lastUsedAt: lastUsedAt?.toISOString() ?? null,
    loginRejectedAt: loginRejectedAt?.toISOString() ?? null,
  }
}
