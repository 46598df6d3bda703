import { z } from 'zod'
import { newAppPassword } from '../../../auth/secret-input.js'
import { created, noContent, ok } from '../answers.js'
import { idParams, time } from '../input-values.js'
import { operation } from '../operation.js'
import { appPasswordSchema, viewOfAppPassword } from './secret-resource.js'

export const listAppPasswords = operation({
  id: 'me.appPasswords.list',
  method: 'GET',
  path: '/me/app-passwords',
  summary: 'List your app passwords',
  scope: 'account',
  responses: {
    200: {
      description: 'The newest first, with those that expired.',
      body: z.object({ items: z.array(appPasswordSchema) }),
    },
  },
  async handle({ user, services }) {
    return ok({ items: (await services.auth.appPasswords.list(user.userId)).map(viewOfAppPassword) })
  },
})

export const createAppPassword = operation({
  id: 'me.appPasswords.create',
  method: 'POST',
  path: '/me/app-passwords',
  summary: 'Make an app password for a drive',
  scope: 'account',
  body: newAppPassword.extend({ expiresAt: time.optional() }),
  example: { name: 'Laptop', readOnly: false },
  responses: {
    201: {
      description: 'It was made.',
      body: z.object({ appPassword: appPasswordSchema, secret: z.string().describe('Shown this once.') }),
    },
  },
  errors: [409],
  async handle({ body, user, actor, services }) {
    const { appPassword, secret } = await services.auth.appPasswords.create(user.userId, body, actor)
    return created(`/api/v1/me/app-passwords/${appPassword.id}`, {
      appPassword: viewOfAppPassword(appPassword),
      secret,
    })
  },
})

export const revokeAppPassword = operation({
  id: 'me.appPasswords.revoke',
  method: 'DELETE',
  path: '/me/app-passwords/{id}',
  summary: 'Revoke an app password',
  description: 'What is under way with it ends.',
  scope: 'account',
  params: idParams,
  responses: { 204: { description: 'It is no good any more.' } },
  async handle({ params, user, actor, services }) {
    await services.auth.appPasswords.revoke(user.userId, params.id, actor)
    return noContent()
  },
})
