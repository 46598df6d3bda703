import { z } from 'zod'
import { ok } from '../answers.js'
import { operation } from '../operation.js'
import { entrySchema, FILE_ERRORS, pathInput, pathOf, treeOf, viewOfEntry } from './file-resource.js'

export const getEntry = operation({
  id: 'files.get',
  method: 'GET',
  path: '/files/entry',
  summary: 'Look at a file or folder',
  description:
    'The bytes of a file go by its `href`, `/ftp/<user>/<server>/<path>`, with the same token: GET with `Range` and `If-None-Match`; ' +
    'PUT stores the body whole or not at all, with `If-Match` or `If-None-Match: *` where it must not replace another version; DELETE.',
  scope: 'files:read',
  query: z.strictObject({ path: pathInput.describe('Of the file or folder, e.g. /server2/report.pdf.') }),
  etag: true,
  responses: { 200: { description: 'What stands there.', body: entrySchema } },
  errors: FILE_ERRORS,
  async handle(call) {
    const node = await (await treeOf(call)).stat(pathOf(call.query.path), { signal: call.signal })
    return ok(viewOfEntry(node, call.user.username), node.etag === undefined ? {} : { etag: node.etag })
  },
})
