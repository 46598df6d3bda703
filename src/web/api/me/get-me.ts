import { z } from 'zod'
import { SCOPES } from '../../../auth/scope.js'
import { ROLES } from '../../../users/user-input.js'
import { ok } from '../answers.js'
import { operation } from '../operation.js'

export const getMe = operation({
  id: 'me.get',
  method: 'GET',
  path: '/me',
  summary: 'See who you are and what this login may do',
  scope: 'any',
  beforePasswordChange: true,
  responses: {
    200: {
      description: 'You.',
      body: z.object({
        id: z.int(),
        username: z.string(),
        role: z.enum(ROLES),
        hasSecondFactor: z.boolean(),
        mustChangePassword: z.boolean(),
        lastLoginAt: z.iso.datetime().nullable(),
        login: z.object({
          via: z.enum(['password', 'app-password', 'session', 'jwt', 'api-token']),
          name: z.string().nullable().describe('Of the app password or token.'),
          scopes: z.array(z.enum(SCOPES)),
          servers: z.array(z.int()).nullable().describe('What it is limited to; null: all.'),
        }),
      }),
    },
  },
  async handle({ user, services }) {
    const { id, username, role, hasSecondFactor, mustChangePassword, lastLoginAt } = await services.users.get(
      user.userId,
    )
    return ok({
      id,
      username,
      role,
      hasSecondFactor,
      mustChangePassword,
      lastLoginAt: lastLoginAt?.toISOString() ?? null,
      login: {
        via: user.via,
        name: user.credential?.name ?? null,
        scopes: [...user.scopes],
        servers: user.servers ? [...user.servers] : null,
      },
    })
  },
})
