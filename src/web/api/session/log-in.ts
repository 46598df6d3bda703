import { z } from 'zod'
import { HttpError } from '../../../http/errors.js'
import { loginAnswer } from '../../../http/login-answer.js'
import { ok } from '../answers.js'
import { operation } from '../operation.js'

/** A token is asked for by no challenge: who logs in sends name and password in the body. */
const CHALLENGE = { 'WWW-Authenticate': 'Bearer realm="FTPCluster"' }

export const logIn = operation({
  id: 'session.logIn',
  method: 'POST',
  path: '/login',
  at: 'root',
  summary: 'Log in and get a token',
  description:
    'The token is for `Authorization: Bearer`, for 15 minutes, and may do what the user may. Where the user has a second ' +
    'factor, the `code` of the authenticator app, or a recovery code, is needed too.',
  scope: 'none',
  body: z.strictObject({
    username: z.string().max(256),
    password: z.string().max(1024),
    code: z.string().max(64).optional(),
  }),
  example: { username: 'anna', password: 'the password' },
  responses: {
    200: {
      description: 'You are logged in.',
      body: z.object({ token: z.string().describe('A JWT.'), expiresAt: z.iso.datetime() }),
    },
  },
  errors: [401, 403, 429],
  async handle({ body: { username, password, code }, address, services: { auth } }) {
    const result = await auth.authenticator.password(username, password, address, { secondFactor: 'report' })
    if (!result.ok) throw refused(result)
    const { user } = result
    if (result.needsSecondFactor) {
      if (code === undefined) throw needsCode('SECOND_FACTOR', 'This user has a second factor: send its code too.')
      const verdict = await auth.secondFactor.verify(user.userId, code, address)
      if (verdict === 'throttled') throw loginAnswer({ reason: 'throttled', retryAfterSeconds: 60 })
      if (verdict === 'wrong') throw needsCode('WRONG_CODE', 'The code is wrong, or was used already.')
    }
    if (result.mustChangePassword) {
      throw new HttpError(403, 'PASSWORD_CHANGE', 'This password must be changed first: log in with a browser.')
    }
    auth.logins.succeeded({ ...user, via: 'jwt' }, address)
    const { token, expiresAt } = await auth.jwts.issue(user)
    return ok({ token, expiresAt: expiresAt.toISOString() })
  },
})

function refused(result: Parameters<typeof loginAnswer>[0]): HttpError {
  const { status, code, message, headers } = loginAnswer(result)
  if (status !== 401) return new HttpError(status, code, message, { headers })
  return new HttpError(401, 'WRONG_LOGIN', 'Username or password is wrong.', { headers: CHALLENGE })
}

function needsCode(code: string, message: string): HttpError {
  return new HttpError(401, code, message, { headers: CHALLENGE })
}
