import { z } from 'zod'
import { noContent, ok } from '../answers.js'
import { operation } from '../operation.js'
import { currentPassword, requirePassword } from './current-password.js'

const code = z
  .string()
  .min(1)
  .max(64)
  .describe('Of the authenticator app; where it is on already, a recovery code does too.')
const recoveryCodes = z.array(z.string()).describe('Shown this once; each is good for one use.')

export const getSecondFactor = operation({
  id: 'me.secondFactor.get',
  method: 'GET',
  path: '/me/second-factor',
  summary: 'See whether your second factor is on',
  scope: 'account',
  responses: {
    200: { description: 'Its state.', body: z.object({ active: z.boolean(), recoveryCodesLeft: z.int() }) },
  },
  async handle({ user, services: { auth } }) {
    const active = await auth.secondFactor.isActive(user.userId)
    return ok({ active, recoveryCodesLeft: await auth.secondFactor.recoveryCodesLeft(user.userId) })
  },
})

export const beginSecondFactor = operation({
  id: 'me.secondFactor.begin',
  method: 'POST',
  path: '/me/second-factor',
  summary: 'Begin to switch your second factor on',
  description: 'Give the secret to an authenticator app, then confirm with a code of it.',
  scope: 'account',
  body: z.strictObject({ currentPassword }),
  example: { currentPassword: 'the password' },
  responses: {
    200: {
      description: 'The secret, shown this once.',
      body: z.object({
        secret: z.string().describe('In base32.'),
        uri: z.string().describe('otpauth://, for a QR code.'),
      }),
    },
  },
  errors: [409],
  async handle(call) {
    await requirePassword(call.body.currentPassword, call)
    return ok(await call.services.auth.secondFactor.begin(call.user.userId, call.actor))
  },
})

export const confirmSecondFactor = operation({
  id: 'me.secondFactor.confirm',
  method: 'POST',
  path: '/me/second-factor/confirm',
  summary: 'Switch your second factor on',
  description: 'From then on drives and Basic take app passwords only.',
  scope: 'account',
  body: z.strictObject({ code }),
  example: { code: '123456' },
  responses: { 200: { description: 'It is on.', body: z.object({ recoveryCodes }) } },
  errors: [409],
  async handle({ body, user, actor, services, session }) {
    const confirmed = await services.auth.secondFactor.confirm(user.userId, body.code, actor)
    session?.renew(confirmed.authVersion)
    return ok({ recoveryCodes: confirmed.recoveryCodes })
  },
})

export const disableSecondFactor = operation({
  id: 'me.secondFactor.disable',
  method: 'POST',
  path: '/me/second-factor/disable',
  summary: 'Switch your second factor off',
  scope: 'account',
  body: z.strictObject({ currentPassword, code }),
  example: { currentPassword: 'the password', code: '123456' },
  responses: { 204: { description: 'It is off.' } },
  errors: [409],
  async handle(call) {
    const { body, user, actor, services, session } = call
    await requirePassword(body.currentPassword, call)
    const { authVersion } = await services.auth.secondFactor.disable(user.userId, body.code, actor)
    session?.renew(authVersion)
    return noContent()
  },
})

export const renewRecoveryCodes = operation({
  id: 'me.secondFactor.renewRecoveryCodes',
  method: 'POST',
  path: '/me/second-factor/recovery-codes',
  summary: 'Replace your recovery codes',
  scope: 'account',
  body: z.strictObject({ currentPassword, code }),
  example: { currentPassword: 'the password', code: '123456' },
  responses: { 200: { description: 'The old ones are no good any more.', body: z.object({ recoveryCodes }) } },
  errors: [409],
  async handle(call) {
    const { body, user, actor, services } = call
    await requirePassword(body.currentPassword, call)
    return ok({ recoveryCodes: await services.auth.secondFactor.newRecoveryCodes(user.userId, body.code, actor) })
  },
})
