import { expect } from 'chai'
import { loginAnswer } from '../../src/http/login-answer.js'

describe('loginAnswer', () => {
  for (const reason of ['missing', 'malformed', 'rejected'] as const) {
    it(`asks for a password when it was ${reason}`, () => {
      expect(loginAnswer({ reason })).to.deep.include({
        status: 401,
        headers: { 'WWW-Authenticate': 'Basic realm="FTPCluster", charset="UTF-8"' },
      })
    })
  }

  for (const [reason, code] of [
    ['second-factor', 'SECOND_FACTOR'],
    ['password-change', 'PASSWORD_CHANGE'],
  ] as const) {
    it(`tells what helps when the password is right and does not do: ${reason}`, () => {
      const answer = loginAnswer({ reason })
      expect(answer).to.deep.include({
        ...{ status: 401, code },
        headers: { 'WWW-Authenticate': 'Basic realm="FTPCluster", charset="UTF-8"' },
      })
      expect(answer.message).to.include('browser')
    })
  }

  for (const [reason, status] of [
    ['throttled', 429],
    ['busy', 503],
  ] as const) {
    it(`answers ${reason} with ${status} and whole seconds, without asking for another password`, () => {
      expect(loginAnswer({ reason, retryAfterSeconds: 7.2 })).to.deep.include({
        status,
        headers: { 'Retry-After': '8' },
      })
      expect(loginAnswer({ reason, retryAfterSeconds: 0 }).headers).to.deep.equal({ 'Retry-After': '1' })
    })
  }
})
