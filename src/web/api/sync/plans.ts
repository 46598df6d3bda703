import { z } from 'zod'
import { actorName } from '../../../audit/actor.js'
import { STEP_KINDS } from '../../../sync/plan.js'
import type { Run, Step, SyncQueue } from '../../../sync/sync-queue.js'
import { created, ok } from '../answers.js'
import { idInBody, idParams } from '../input-values.js'
import { operation } from '../operation.js'

const planSchema = z
  .object({
    id: z.int(),
    kind: z.enum(['plan', 'change', 'repair']),
    state: z.enum(['planned', 'running', 'done', 'failed', 'aborted']),
    by: z.string(),
    createdAt: z.iso.datetime(),
    finishedAt: z.iso.datetime().nullable(),
    servers: z.array(
      z.object({
        serverId: z.int(),
        alias: z.string(),
        problem: z.string().optional().describe('Why the server could not be read.'),
        steps: z.array(z.object({ account: z.string(), kind: z.enum(STEP_KINDS), detail: z.string() })),
        findings: z.array(
          z.object({ account: z.string(), kind: z.enum(['adopt', 'refused', 'unknown']), detail: z.string() }),
        ),
      }),
    ),
    results: z
      .array(
        z.object({
          serverId: z.int(),
          account: z.string(),
          kind: z.enum(STEP_KINDS),
          state: z.enum(['waiting', 'queued', 'done', 'failed', 'aborted']),
          attempts: z.int(),
          nextAttemptAt: z.iso.datetime().nullable(),
          reason: z.string().nullable(),
        }),
      )
      .describe('What became of each step, once somebody said yes.'),
  })
  .meta({ id: 'SyncPlan' })

function viewOf(run: Run, steps: readonly Step[]): z.input<typeof planSchema> {
  return {
    ...{ id: run.id, kind: run.kind, state: run.state, by: actorName(run.actor) },
    createdAt: run.createdAt.toISOString(),
    finishedAt: run.finishedAt?.toISOString() ?? null,
    servers: run.plan.map(({ serverId, alias, problem, steps: planned, findings }) => ({
      ...{ serverId, alias, steps: [...planned], findings: [...findings] },
      ...(problem !== undefined && { problem }),
    })),
    results: steps.map(({ serverId, account, kind, state, attempts, nextAttemptAt, reason }) => ({
      ...{ serverId, account, kind, state, attempts, reason: reason ?? null },
      nextAttemptAt: nextAttemptAt?.toISOString() ?? null,
    })),
  }
}

async function shown(queue: SyncQueue, run: Run): Promise<z.input<typeof planSchema>> {
  return viewOf(run, await queue.steps({ runId: run.id }))
}

export const createPlan = operation({
  id: 'sync.plan',
  method: 'POST',
  path: '/sync/plans',
  summary: 'Read servers and plan what there is to do',
  description: 'Nothing is changed before the plan is applied.',
  scope: 'admin:write',
  body: z.strictObject({
    serverIds: z.array(idInBody).max(1000).optional().describe('Default: all whose accounts are managed.'),
    logins: z.boolean().optional().describe('Try the secret of each account, once.'),
  }),
  bodyOptional: true,
  example: { logins: false },
  responses: { 201: { description: 'The plan.', body: planSchema } },
  errors: [404],
  async handle({ body, actor, services, signal }) {
    const { synchroniser, queue } = services.sync
    const run = await synchroniser.plan(body?.serverIds, actor, { logins: body?.logins ?? false, signal })
    return created(`/api/v1/sync/plans/${run.id}`, await shown(queue, run))
  },
})

export const listPlans = operation({
  id: 'sync.listPlans',
  method: 'GET',
  path: '/sync/plans',
  summary: 'List what was planned and done, the newest first',
  scope: 'admin:read',
  responses: { 200: { description: 'The last 50, without results.', body: z.object({ items: z.array(planSchema) }) } },
  async handle({ services }) {
    return ok({ items: (await services.sync.queue.runs()).map((run) => viewOf(run, [])) })
  },
})

export const getPlan = operation({
  id: 'sync.getPlan',
  method: 'GET',
  path: '/sync/plans/{id}',
  summary: 'Read a plan and what became of it',
  scope: 'admin:read',
  params: idParams,
  responses: { 200: { description: 'The plan.', body: planSchema } },
  async handle({ params, services: { sync } }) {
    return ok(await shown(sync.queue, await sync.queue.run(params.id)))
  },
})

export const applyPlan = operation({
  id: 'sync.apply',
  method: 'POST',
  path: '/sync/plans/{id}/apply',
  summary: 'Do what a plan shows',
  description:
    'Answers at once; read the plan to see how far it is. Steps of a server that is down wait for it. A change in whose place a newer plan or change came is refused: make a plan.',
  scope: 'admin:write',
  params: idParams,
  body: z.strictObject({
    confirm: z.boolean().optional().describe('The second yes, for a plan that takes many accounts away.'),
  }),
  bodyOptional: true,
  example: {},
  responses: { 200: { description: 'It has begun.', body: planSchema } },
  errors: [409],
  async handle({ params, body, actor, services: { sync } }) {
    const run = await sync.synchroniser.apply(params.id, actor, { confirm: body?.confirm ?? false })
    return ok(await shown(sync.queue, run))
  },
})

export const abortPlan = operation({
  id: 'sync.abort',
  method: 'POST',
  path: '/sync/plans/{id}/abort',
  summary: 'Leave the steps of a plan that have not begun',
  scope: 'admin:write',
  params: idParams,
  responses: { 200: { description: 'The plan as it is now.', body: planSchema } },
  errors: [409],
  async handle({ params, actor, services: { sync } }) {
    return ok(await shown(sync.queue, await sync.synchroniser.abort(params.id, actor)))
  },
})
