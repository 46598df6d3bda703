import { splitMount } from '../../../vfs/virtual-path.js'
import { NO_LOCKS } from '../../pages/files/files-request.js'
import { accepted, ok } from '../answers.js'
import { jobSchema, placeOfJob, viewOfJob } from '../jobs/job-resource.js'
import { operation } from '../operation.js'
import { entrySchema, FILE_ERRORS, pathOf, treeOf, viewOfEntry } from './file-resource.js'
import { relocateAsJob, relocationBody, relocationExample } from './relocate.js'

export const moveEntry = operation({
  id: 'files.move',
  method: 'POST',
  path: '/files/move',
  summary: 'Move or rename a file or folder',
  description: 'Within a server it is done at once. To another server a job does it: ask for its state at `Location`.',
  scope: 'files:write',
  body: relocationBody,
  example: relocationExample,
  responses: {
    200: { description: 'It was moved within its server.', body: entrySchema },
    202: { description: 'The job that moves.', body: jobSchema },
  },
  errors: FILE_ERRORS,
  async handle(call) {
    const tree = await treeOf(call)
    const [from, to] = [pathOf(call.body.from), pathOf(call.body.to)]
    const { signal } = call
    if (splitMount(from)?.alias !== splitMount(to)?.alias) {
      const job = await relocateAsJob('move', tree, call)
      return accepted(placeOfJob(job), viewOfJob(job))
    }
    const { overwrite } = call.body
    const { failures } = await tree.move(from, to, { overwrite }, NO_LOCKS, { signal })
    const [failure] = failures
    if (failure) throw failure.error
    return ok(viewOfEntry(await tree.stat(to, { signal }), call.user.username))
  },
})
