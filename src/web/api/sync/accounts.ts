import { z } from 'zod'
import { remoteUser } from '../../../servers/server-input.js'
import { ENDINGS } from '../../../sync/account-decisions.js'
import type { ServerStatus } from '../../../sync/sync-state.js'
import { noContent, ok } from '../answers.js'
import { idInBody, idParams } from '../input-values.js'
import { operation } from '../operation.js'

const stateSchema = z
  .object({
    servers: z.array(
      z.object({
        serverId: z.int(),
        alias: z.string(),
        kind: z.string(),
        automatic: z.boolean(),
        readAt: z.iso.datetime().nullable().describe('When the server was looked at last.'),
        problem: z.string().nullable(),
        nextAttemptAt: z.iso.datetime().nullable(),
        queued: z.int().describe('Steps that wait for the server.'),
        accounts: z.array(
          z.object({
            id: z.int().nullable().describe('Null: the gateway does not manage it.'),
            name: z.string(),
            user: z.string().nullable(),
            state: z.enum([
              ...(['in-step', 'different', 'missing', 'waiting', 'under-way', 'refused', 'ended', 'unknown'] as const),
            ]),
            detail: z.string(),
            origin: z.enum(['created', 'adopted']).nullable(),
            home: z.string().nullable(),
            secretSetAt: z.iso.datetime().nullable(),
            lastSeenAt: z.iso.datetime().nullable(),
            adoptable: z.boolean(),
          }),
        ),
      }),
    ),
  })
  .meta({ id: 'SyncState' })

function viewOf(servers: readonly ServerStatus[]): z.input<typeof stateSchema> {
  return {
    servers: servers.map(({ serverId, alias, provisioner, readAt, problem, nextAttemptAt, queued, accounts }) => ({
      ...{ serverId, alias, kind: provisioner.settings.kind, automatic: provisioner.automatic, queued },
      readAt: readAt?.toISOString() ?? null,
      problem: problem ?? null,
      nextAttemptAt: nextAttemptAt?.toISOString() ?? null,
      accounts: accounts.map(({ name, state, detail, wanted, account, adoptable }) => ({
        ...{ name, state, detail, adoptable },
        id: account?.id ?? null,
        user: wanted?.username ?? null,
        origin: account?.origin ?? null,
        home: account?.home ?? null,
        secretSetAt: account?.secretSetAt?.toISOString() ?? null,
        lastSeenAt: account?.lastSeenAt?.toISOString() ?? null,
      })),
    })),
  }
}

export const getSyncState = operation({
  id: 'sync.state',
  method: 'GET',
  path: '/sync',
  summary: 'See how far accounts are in step',
  description: 'As of the last look at each server; no server is asked.',
  scope: 'admin:read',
  responses: { 200: { description: 'By server and account.', body: stateSchema } },
  async handle({ services: { sync } }) {
    return ok(viewOf(await sync.state.servers()))
  },
})

export const adoptAccount = operation({
  id: 'sync.adopt',
  method: 'POST',
  path: '/sync/adopt',
  summary: 'Take over an account that is there already',
  description: 'For the one managed permission that wants its name. Nothing is changed on the server by this.',
  scope: 'admin:write',
  body: z.strictObject({ serverId: idInBody, account: remoteUser }),
  example: { serverId: 1, account: 'user1' },
  responses: { 204: { description: 'It is managed now.' } },
  errors: [404, 409],
  async handle({ body, actor, services: { sync } }) {
    await sync.decisions.adopt(body.serverId, body.account, actor)
    return noContent()
  },
})

export const decideEnding = operation({
  id: 'sync.decideEnding',
  method: 'PUT',
  path: '/sync/accounts/{id}/ending',
  summary: 'Decide what becomes of an account whose permission is gone',
  description: 'The next plan shows what that means.',
  scope: 'admin:write',
  params: idParams,
  body: z.strictObject({ ending: z.enum(ENDINGS) }),
  example: { ending: 'archive' },
  responses: { 204: { description: 'It was noted.' } },
  errors: [409],
  async handle({ params, body, actor, services: { sync } }) {
    await sync.decisions.setEnding(params.id, body.ending, actor)
    return noContent()
  },
})

export const rotateSecrets = operation({
  id: 'sync.rotate',
  method: 'POST',
  path: '/sync/rotate',
  summary: 'Give accounts new secrets',
  description: 'Nobody who works notices. Read the plan that it became to see how far it is.',
  scope: 'admin:write',
  body: z.strictObject({
    serverId: idInBody.optional().describe('Only on this server.'),
    accountId: idInBody.optional().describe('Only this account.'),
  }),
  bodyOptional: true,
  example: {},
  responses: {
    200: {
      description: 'The number of the plan; null when none of them has a secret of the gateway.',
      body: z.object({ plan: z.int().nullable() }),
    },
  },
  async handle({ body, actor, services: { sync } }) {
    const run = await sync.decisions.rotate(body ?? {}, actor)
    return ok({ plan: run?.id ?? null })
  },
})
