import { z } from 'zod'
import { ok } from '../answers.js'
import { sortBy } from '../input-values.js'
import { operation } from '../operation.js'
import { cut, pageOf, paging, sorted } from '../page.js'
import { BYTES, entrySchema, FILE_ERRORS, pathInput, pathOf, treeOf, viewOfEntry } from './file-resource.js'

export const listFolder = operation({
  id: 'files.list',
  method: 'GET',
  path: '/files',
  summary: 'List a folder',
  description: `Your servers when no path is given. ${BYTES}`,
  scope: 'files:read',
  query: z.strictObject({
    path: pathInput.default('/').describe('Of the folder, e.g. /server2/projects.'),
    sort: sortBy('name', 'size', 'modified').default('name'),
    ...paging,
  }),
  responses: { 200: { description: 'One page of what is in the folder.', body: pageOf(entrySchema) } },
  errors: FILE_ERRORS,
  async handle(call) {
    const { path, sort, ...range } = call.query
    const { members } = await (await treeOf(call)).list(pathOf(path), { signal: call.signal })
    const page = cut(sorted(members, sort), range)
    return ok({ ...page, items: page.items.map((node) => viewOfEntry(node, call.user.username)) })
  },
})
