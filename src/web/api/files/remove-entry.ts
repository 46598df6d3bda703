import { z } from 'zod'
import { NO_LOCKS } from '../../pages/files/files-request.js'
import { noContent } from '../answers.js'
import { operation } from '../operation.js'
import { FILE_ERRORS, pathInServer, pathOf, treeOf } from './file-resource.js'

export const removeEntry = operation({
  id: 'files.remove',
  method: 'DELETE',
  path: '/files/entry',
  summary: 'Delete a file or folder',
  description: 'A folder goes with everything in it; what cannot go is the error, and the rest is gone.',
  scope: 'files:write',
  query: z.strictObject({ path: pathInServer }),
  etag: true,
  responses: { 204: { description: 'It is gone.' } },
  errors: FILE_ERRORS,
  async handle(call) {
    const tree = await treeOf(call)
    const check = (node: { etag: string | undefined } | undefined) => call.match(node?.etag ?? '')
    const [failure] = await tree.remove(pathOf(call.query.path), { ...NO_LOCKS, check }, { signal: call.signal })
    if (failure) throw failure.error
    return noContent()
  },
})
