import { expect } from 'chai'
import { DriveAttempts } from '../../src/auth/drive-attempts.js'

describe('DriveAttempts', () => {
  let now = 0
  let attempts: DriveAttempts
  const attempt = { address: '192.0.2.7', userAgent: 'davfs2/1.6', username: 'anna', outcome: 'rejected' } as const

  beforeEach(() => {
    now = 1_000_000
    attempts = new DriveAttempts(() => now)
  })

  it('tells a user of the own attempts and of nameless ones, from the same network only, the last one first', () => {
    attempts.note(attempt)
    attempts.note({ ...attempt, username: 'bert' })
    attempts.note({ ...attempt, username: undefined, outcome: 'missing' })
    attempts.note({ ...attempt, address: '198.51.100.1' })
    const seen = attempts.of('anna', '192.0.2.7', 0).map(({ username, outcome }) => `${username} ${outcome}`)
    expect(seen).to.deep.equal(['undefined missing', 'anna rejected'])
  })

  it('forgets what is older than asked for, and everything after a quarter of an hour', () => {
    attempts.note(attempt)
    expect(attempts.of('anna', '192.0.2.7', now + 1)).to.deep.equal([])
    now += 16 * 60_000
    expect(attempts.of('anna', '192.0.2.7', 0)).to.deep.equal([])
  })

  it('remembers a program for as long as it goes on, and a quarter of an hour after that', () => {
    for (let tries = 0; tries < 3; tries++) {
      attempts.note(attempt)
      now += 10 * 60_000
      expect(attempts.of('anna', '192.0.2.7', 0)).to.have.length(1)
    }
    now += 6 * 60_000
    expect(attempts.of('anna', '192.0.2.7', 0)).to.deep.equal([])
  })

  it('keeps a bounded number of attempts of one network', () => {
    for (let i = 0; i < 100; i++) attempts.note({ ...attempt, userAgent: `program ${i}` })
    expect(attempts.of('anna', '192.0.2.7', 0)).to.have.length(20)
  })
})
