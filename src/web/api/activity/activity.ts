import { z } from 'zod'
import { UnknownObjectError } from '../../../errors.js'
import { noContent, ok } from '../answers.js'
import { operation } from '../operation.js'

export const listActivity = operation({
  id: 'activity.list',
  method: 'GET',
  path: '/activity',
  summary: 'See transfers, copies and removals that are under way',
  scope: 'admin:read',
  responses: {
    200: {
      description: 'The oldest first.',
      body: z.object({
        items: z.array(
          z.object({
            id: z.string(),
            userId: z.int(),
            username: z.string(),
            kind: z.string(),
            alias: z.string().nullable(),
            path: z.string().describe('As the user sees it.'),
            target: z.string().nullable().describe('Of a copy or a move.'),
            bytes: z.number().describe('So far.'),
            total: z.number().nullable(),
            startedAt: z.iso.datetime(),
            address: z.string(),
            userAgent: z.string(),
          }),
        ),
      }),
    },
  },
  handle: ({ services }) =>
    ok({
      items: services.activity
        .running()
        .map(({ id, userId, user, kind, alias, path, target, bytes, total, ...rest }) => ({
          ...{ id, userId, username: user, kind, path, bytes },
          alias: alias ?? null,
          target: target ?? null,
          total: total ?? null,
          startedAt: rest.startedAt.toISOString(),
          address: rest.client.address,
          userAgent: rest.client.userAgent,
        })),
    }),
})

export const endActivity = operation({
  id: 'activity.end',
  method: 'DELETE',
  path: '/activity/{id}',
  summary: 'End what is under way',
  description: 'A broken upload leaves the old file as it was.',
  scope: 'admin:write',
  params: z.strictObject({ id: z.string().regex(/^\d{1,16}$/, 'must be the id of something under way') }),
  responses: { 204: { description: 'It ends.' } },
  handle({ params, actor, services }) {
    if (!services.activity.end(params.id, actor)) throw new UnknownObjectError('Nothing by this id is under way.')
    return noContent()
  },
})

export const listClients = operation({
  id: 'activity.clients',
  method: 'GET',
  path: '/activity/clients',
  summary: 'See who was connected in the last 24 hours',
  scope: 'admin:read',
  responses: {
    200: {
      description: 'The last seen first, at most 1000.',
      body: z.object({
        items: z.array(
          z.object({
            userId: z.int(),
            username: z.string(),
            address: z.string(),
            userAgent: z.string(),
            via: z.string(),
            credential: z.string().nullable().describe('Name of the app password or token.'),
            firstSeenAt: z.iso.datetime(),
            lastSeenAt: z.iso.datetime(),
            requests: z.int(),
          }),
        ),
      }),
    },
  },
  handle: ({ services }) =>
    ok({
      items: services.activity.clients().map(({ user, credential, firstSeenAt, lastSeenAt, ...client }) => ({
        ...client,
        username: user,
        credential: credential ?? null,
        firstSeenAt: firstSeenAt.toISOString(),
        lastSeenAt: lastSeenAt.toISOString(),
      })),
    }),
})
