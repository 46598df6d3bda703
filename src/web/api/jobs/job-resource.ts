import { z } from 'zod'
import { credentialName } from '../../../auth/revoked-credentials.js'
import { UnknownObjectError } from '../../../errors.js'
import type { Job } from '../../../jobs/jobs.js'
import type { Call } from '../operation.js'

export const jobSchema = z
  .object({
    id: z.string(),
    title: z.string().describe('What is done, for people.'),
    state: z.enum(['waiting', 'running', 'done', 'failed', 'cancelled']),
    bytes: z.int().describe('So far.'),
    total: z.int().nullable().describe('Bytes in all; null while nobody knows.'),
    message: z.string().describe('What it is at, or how it ended.'),
    createdAt: z.iso.datetime(),
    endedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'Job' })

export const jobParams = z.strictObject({ jobId: z.string().min(1).max(64) })

export function viewOfJob(job: Job): z.input<typeof jobSchema> {
  const { id, title, state, bytes, total = null, message, createdAt, endedAt } = job
  return {
    ...{ id, title, state, bytes, total, message },
    createdAt: new Date(createdAt).toISOString(),
    endedAt: endedAt === undefined ? null : new Date(endedAt).toISOString(),
  }
}

export function placeOfJob({ id }: Job): string {
  return `/api/v1/jobs/${id}`
}

/** The newest first. A token that is limited to some servers sees what it began itself. */
export function jobsOf({ services, user }: Pick<Call<'any'>, 'services' | 'user'>): Job[] {
  const all = services.jobs.list(user.userId)
  if (user.servers === undefined) return all
  return all.filter(({ credential }) => credential === credentialName(user))
}

/** @throws UnknownObjectError */
export function jobOf(call: Pick<Call<'any'>, 'services' | 'user'>, id: string): Job {
  const job = jobsOf(call).find((one) => one.id === id)
  if (!job) throw new UnknownObjectError('There is no such copy or move.')
  return job
}
