import { z } from 'zod'
import { OUTCOMES } from '../../../audit/audit-event.js'
import { EXPORT_FORMATS, exportEvents } from '../../../audit/audit-export.js'
import type { AuditFilter } from '../../../audit/audit-search.js'
import { download, ok } from '../answers.js'
import { id, integer, searchText, time } from '../input-values.js'
import { operation } from '../operation.js'

const filter = {
  actor: searchText.optional().describe('Name of who did it, exactly.'),
  actorId: id.optional(),
  type: searchText.optional().describe('How the type begins: `file.`, `user.created`.'),
  object: searchText.optional().describe('Name of what it is about, exactly.'),
  objectId: id.optional(),
  outcome: z.enum(OUTCOMES).optional(),
  from: time.optional(),
  to: time.optional().describe('Not included.'),
  text: searchText.optional().describe('Somewhere in the names, the address or the details.'),
}

type Filter = z.output<z.ZodObject<typeof filter>>

function filterOf({ from, to, ...rest }: Filter): AuditFilter {
  return {
    ...rest,
    from: from === undefined ? undefined : new Date(from),
    to: to === undefined ? undefined : new Date(to),
  }
}

const eventSchema = z
  .object({
    id: z.int().describe('Counts up without a gap.'),
    at: z.iso.datetime(),
    type: z.string(),
    outcome: z.enum(OUTCOMES),
    actorKind: z.string(),
    actorId: z.int().nullable(),
    actorName: z.string(),
    address: z.string().nullable(),
    objectId: z.int(),
    objectName: z.string(),
    requestId: z.string().nullable(),
    details: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'AuditEvent' })

export const listAudit = operation({
  id: 'audit.list',
  method: 'GET',
  path: '/audit',
  summary: 'Search the audit log',
  scope: 'admin:read',
  query: z.strictObject({
    ...filter,
    limit: integer(1, 200).default(50),
    before: id.optional().describe('`next` of the page before.'),
  }),
  responses: {
    200: {
      description: 'The newest first.',
      body: z.object({
        items: z.array(eventSchema),
        next: z.int().nullable().describe('null: this is the last page.'),
      }),
    },
  },
  async handle({ query: { limit, before, ...wanted }, services }) {
    const { items, next } = await services.audit.search({ ...filterOf(wanted), limit, before })
    return ok({
      items: items.map((event) => ({
        ...event,
        at: event.at.toISOString(),
        actorId: event.actorId ?? null,
        address: event.address ?? null,
        requestId: event.requestId ?? null,
      })),
      next: next ?? null,
    })
  },
})

const TYPES = { csv: 'text/csv', json: 'application/json' } as const

export const exportAudit = operation({
  id: 'audit.export',
  method: 'GET',
  path: '/audit/export',
  summary: 'Export the audit log',
  scope: 'admin:read',
  query: z.strictObject({ ...filter, format: z.enum(EXPORT_FORMATS).default('csv') }),
  responses: {
    200: {
      description: 'Everything that fits, the oldest first.',
      stream: true,
      streamed: z.array(eventSchema),
      type: Object.values(TYPES),
    },
  },
  handle({ query: { format, ...wanted }, services }) {
    const events = services.audit.entries(filterOf(wanted))
    return download(exportEvents(events, format), { type: TYPES[format], filename: `audit.${format}` })
  },
})
