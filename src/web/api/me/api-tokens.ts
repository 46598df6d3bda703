import { z } from 'zod'
import { newApiToken } from '../../../auth/secret-input.js'
import { created, noContent, ok } from '../answers.js'
import { idParams, time } from '../input-values.js'
import { operation } from '../operation.js'
import { apiTokenSchema, viewOfApiToken } from './secret-resource.js'

export const listApiTokens = operation({
  id: 'me.apiTokens.list',
  method: 'GET',
  path: '/me/api-tokens',
  summary: 'List your API tokens',
  scope: 'account',
  responses: {
    200: {
      description: 'The newest first, with those that expired.',
      body: z.object({ items: z.array(apiTokenSchema) }),
    },
  },
  async handle({ user, services }) {
    return ok({ items: (await services.auth.apiTokens.list(user.userId)).map(viewOfApiToken) })
  },
})

export const createApiToken = operation({
  id: 'me.apiTokens.create',
  method: 'POST',
  path: '/me/api-tokens',
  summary: 'Make an API token for a script',
  description: 'Scopes for admins are for admins only; a token for some servers cannot use them.',
  scope: 'account',
  body: newApiToken.extend({ expiresAt: time.optional() }),
  example: { name: 'Nightly upload', scopes: ['files:read', 'files:write'], expiresAt: '2090-12-31' },
  responses: {
    201: {
      description: 'It was made.',
      body: z.object({ token: apiTokenSchema, secret: z.string().describe('Shown this once.') }),
    },
  },
  errors: [409],
  async handle({ body, user, actor, services }) {
    const { token, secret } = await services.auth.apiTokens.create(user.userId, body, actor)
    return created(`/api/v1/me/api-tokens/${token.id}`, { token: viewOfApiToken(token), secret })
  },
})

export const revokeApiToken = operation({
  id: 'me.apiTokens.revoke',
  method: 'DELETE',
  path: '/me/api-tokens/{id}',
  summary: 'Revoke an API token',
  scope: 'account',
  params: idParams,
  responses: { 204: { description: 'It is no good any more.' } },
  async handle({ params, user, actor, services }) {
    await services.auth.apiTokens.revoke(user.userId, params.id, actor)
    return noContent()
  },
})
