import { z } from 'zod'
import { NO_LOCKS } from '../../pages/files/files-request.js'
import { created } from '../answers.js'
import { operation } from '../operation.js'
import { entrySchema, FILE_ERRORS, pathInServer, pathOf, treeOf, viewOfEntry } from './file-resource.js'

export const createFolder = operation({
  id: 'files.createFolder',
  method: 'POST',
  path: '/files/folders',
  summary: 'Make a folder',
  description: 'The folder above must be there.',
  scope: 'files:write',
  body: z.strictObject({ path: pathInServer }),
  example: { path: '/s2/new folder' },
  responses: { 201: { description: 'It was made.', body: entrySchema } },
  errors: FILE_ERRORS,
  async handle(call) {
    const tree = await treeOf(call)
    const node = await tree.makeDirectory(pathOf(call.body.path), NO_LOCKS, { signal: call.signal })
    const location = `/api/v1/files/entry?path=${encodeURIComponent(node.path)}`
    return created(location, viewOfEntry(node, call.user.username))
  },
})
