import { accepted } from '../answers.js'
import { operation } from '../operation.js'
import { jobSchema, placeOfJob, viewOfJob } from '../jobs/job-resource.js'
import { FILE_ERRORS, treeOf } from './file-resource.js'
import { relocateAsJob, relocationBody, relocationExample } from './relocate.js'

export const copyEntry = operation({
  id: 'files.copy',
  method: 'POST',
  path: '/files/copy',
  summary: 'Copy a file or folder',
  description: 'Also from one server to another. A job does it: ask for its state at `Location`.',
  scope: 'files:write',
  body: relocationBody,
  example: relocationExample,
  responses: { 202: { description: 'The job that copies.', body: jobSchema } },
  errors: FILE_ERRORS,
  async handle(call) {
    const job = await relocateAsJob('copy', await treeOf(call), call)
    return accepted(placeOfJob(job), viewOfJob(job))
  },
})
