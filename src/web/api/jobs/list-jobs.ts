import { z } from 'zod'
import { ok } from '../answers.js'
import { operation } from '../operation.js'
import { cut, pageOf, paging } from '../page.js'
import { jobSchema, jobsOf, viewOfJob } from './job-resource.js'

export const listJobs = operation({
  id: 'jobs.list',
  method: 'GET',
  path: '/jobs',
  summary: 'List your copies and moves',
  description: 'Those under way and the last that ended; a restart of the gateway ends and forgets them.',
  scope: 'files:read',
  query: z.strictObject(paging),
  responses: { 200: { description: 'One page, the newest first.', body: pageOf(jobSchema) } },
  handle(call) {
    const page = cut(jobsOf(call), call.query)
    return ok({ ...page, items: page.items.map(viewOfJob) })
  },
})
