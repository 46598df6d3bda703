import { z } from 'zod'
import type { Health } from '../../../health/health.js'
import { ok } from '../answers.js'
import { idParams } from '../input-values.js'
import { operation } from '../operation.js'

const state = z.enum(['unknown', 'up', 'slow', 'down', 'disabled'])

export const healthFields = {
  state,
  since: z.iso.datetime().nullable().describe('When it came into this state.'),
  lastOkAt: z.iso.datetime().nullable(),
  latencyMs: z.number().nullable().describe('Of the last connect, in milliseconds.'),
  reason: z.string().nullable().describe('Why it is down: the code of an error.'),
}

export function viewOfHealth({ state, since, lastOkAt, latencyMs, reason }: Health) {
  return {
    state,
    since: since?.toISOString() ?? null,
    lastOkAt: lastOkAt?.toISOString() ?? null,
    latencyMs: latencyMs ?? null,
    reason: reason ?? null,
  }
}

export const listHealth = operation({
  id: 'health.list',
  method: 'GET',
  path: '/health',
  summary: 'See how the servers are',
  scope: 'admin:read',
  responses: {
    200: {
      description: 'By alias.',
      body: z.object({ items: z.array(z.object({ serverId: z.int(), alias: z.string(), ...healthFields })) }),
    },
  },
  async handle({ services }) {
    const servers = await services.servers.list()
    return ok({
      items: servers.map(({ id, alias }) => ({ serverId: id, alias, ...viewOfHealth(services.health.of(id)) })),
    })
  },
})

export const getHealth = operation({
  id: 'health.get',
  method: 'GET',
  path: '/servers/{id}/health',
  summary: 'See how a server was in the last 24 hours',
  scope: 'admin:read',
  params: idParams,
  responses: {
    200: {
      description: 'Now, and in steps of five minutes, the oldest first.',
      body: z.object({
        now: z.object(healthFields),
        samples: z.array(
          z.object({
            at: z.iso.datetime(),
            state: state.describe('The worst of that time.'),
            latencyMs: z.number().nullable(),
          }),
        ),
      }),
    },
  },
  async handle({ params, services }) {
    const { id } = await services.servers.get(params.id)
    const samples = await services.health.history(id)
    return ok({
      now: viewOfHealth(services.health.of(id)),
      samples: samples.map(({ at, state, latencyMs }) => ({
        at: at.toISOString(),
        state,
        latencyMs: latencyMs ?? null,
      })),
    })
  },
})
