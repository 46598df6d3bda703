import { ok } from '../answers.js'
import { operation } from '../operation.js'
import { jobOf, jobParams, jobSchema, viewOfJob } from './job-resource.js'

export const getJob = operation({
  id: 'jobs.get',
  method: 'GET',
  path: '/jobs/{jobId}',
  summary: 'Get a copy or move',
  scope: 'files:read',
  params: jobParams,
  responses: { 200: { description: 'How far it is.', body: jobSchema } },
  handle: (call) => ok(viewOfJob(jobOf(call, call.params.jobId))),
})
