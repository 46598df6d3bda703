import { ConflictError } from '../../../errors.js'
import { noContent } from '../answers.js'
import { operation } from '../operation.js'
import { jobOf, jobParams } from './job-resource.js'

export const cancelJob = operation({
  id: 'jobs.cancel',
  method: 'DELETE',
  path: '/jobs/{jobId}',
  summary: 'Cancel a copy or move',
  description: 'What was copied whole stays.',
  scope: 'files:write',
  params: jobParams,
  responses: { 204: { description: 'It ends.' } },
  errors: [409],
  handle(call) {
    const { id } = jobOf(call, call.params.jobId)
    if (!call.services.jobs.cancel(call.user.userId, id)) throw new ConflictError('It is over already.')
    return noContent()
  },
})
