import { z } from 'zod'
import type { ApiToken } from '../../../auth/api-tokens.js'
import { SCOPES } from '../../../auth/scope.js'
import { newApiToken } from '../../../auth/secret-input.js'
import { created, noContent, ok } from '../answers.js'
import { idParams, time } from '../input-values.js'
import { operation } from '../operation.js'
import { secretFields, viewOfSecret } from './secret-resource.js'

const apiTokenSchema = z.object({ ...secretFields, scopes: z.array(z.enum(SCOPES)) }).meta({ id: 'ApiToken' })

function viewOf(token: ApiToken): z.input<typeof apiTokenSchema> {
  return { ...viewOfSecret(token), scopes: [...token.scopes] }
}

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
    return ok({ items: (await services.auth.apiTokens.list(user.userId)).map(viewOf) })
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
    return created(`/api/v1/me/api-tokens/${token.id}`, { token: viewOf(token), secret })
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
