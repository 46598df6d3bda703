import { z } from 'zod'
import { PROTOCOLS } from '../../../servers/server-input.js'
import { ok } from '../answers.js'
import { flag, searchText, sortBy } from '../input-values.js'
import { operation } from '../operation.js'
import { cut, pageOf, paging, sorted } from '../page.js'
import { serverSchema, viewOfServer } from './server-resource.js'

export const listServers = operation({
  id: 'servers.list',
  method: 'GET',
  path: '/servers',
  legacyPath: '/servers',
  summary: 'List servers',
  scope: 'admin:read',
  query: z.strictObject({
    text: searchText.optional().describe('In the alias or the host.'),
    protocol: z.enum(PROTOCOLS).optional(),
    enabled: flag.optional(),
    sort: sortBy('alias', 'host', 'protocol', 'createdAt').default('alias'),
    ...paging,
  }),
  responses: { 200: { description: 'One page of servers.', body: pageOf(serverSchema) } },
  async handle({ query: { text, protocol, enabled, sort, ...range }, services }) {
    const wanted = text?.toLowerCase()
    const servers = (await services.servers.list()).filter(
      (server) =>
        (wanted === undefined || server.alias.toLowerCase().includes(wanted) || server.host.includes(wanted)) &&
        (protocol === undefined || server.protocol === protocol) &&
        (enabled === undefined || server.enabled === enabled),
    )
    const page = cut(sorted(servers, sort), range)
    return ok({ ...page, items: page.items.map(viewOfServer) })
  },
})
