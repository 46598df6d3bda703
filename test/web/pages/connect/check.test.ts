import { expect } from 'chai'
import type { SeenAttempt } from '../../../../src/auth/drive-attempts.js'
import { judge } from '../../../../src/web/pages/connect/check.js'
import { BrowserSession } from '../../../support/browser-session.js'
import { startWebApp } from '../../../support/web-app.js'

const WINDOWS = 'Microsoft-WebDAV-MiniRedir/10.0.19045'
const seen = (fields: Partial<SeenAttempt>): SeenAttempt => ({
  address: '192.0.2.7',
  userAgent: WINDOWS,
  username: 'anna',
  outcome: 'connected',
  at: 1,
  ...fields,
})

describe('the live check', () => {
  const told: [what: string, attempts: SeenAttempt[], secure: boolean, kind: string, text: RegExp][] = [
    ['nothing came', [], true, 'waiting', /Waiting/],
    ['it connected', [seen({ via: 'app-password' })], true, 'connected', /Windows has connected/],
    ['it used the login password', [seen({ via: 'password' })], true, 'problem', /Better use an app password/],
    [
      'a password was wrong after a first ask without one',
      [seen({ outcome: 'missing', username: undefined }), seen({ outcome: 'rejected' })],
      true,
      'problem',
      /wrong password/,
    ],
    ['a second factor is on', [seen({ outcome: 'second-factor' })], true, 'problem', /needs an app password/],
    [
      'Windows keeps its password over http',
      [seen({ outcome: 'missing', username: undefined })],
      false,
      'problem',
      /no password over plain http/,
    ],
    ['Windows has only begun', [seen({ outcome: 'missing', username: undefined })], true, 'waiting', /not sent/],
    ['a listing is too long', [seen({ outcome: 'listing-too-long' })], true, 'problem', /more than 1 MB/],
  ]
  for (const [what, attempts, secure, kind, text] of told) {
    it(`tells when ${what}`, () => {
      const result = judge(attempts, secure)
      expect(result.kind).to.equal(kind)
      expect(result.text).to.match(text)
    })
  }

  it('answers with what became of this device', async () => {
    const app = await startWebApp()
    try {
      await app.addUser('anna')
      const browser = await BrowserSession.loggedIn(app.url, 'anna')
      expect((await browser.get('/connect/check')).text).to.contain('waiting')
      app.driveAttempts.note({ ...seen({ via: 'app-password' }), address: '127.0.0.1' })
      expect(JSON.parse((await browser.get('/connect/check')).text)).to.include({ kind: 'connected' })
    } finally {
      await app.close()
    }
  })
})
