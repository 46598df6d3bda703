import { expect } from 'chai'
import { Throttle, type ThrottleSnapshot } from '../../src/auth/throttle.js'

describe('Throttle', () => {
  let waits: number[]
  const throttle = (options: object = {}) =>
    new Throttle({ ...options, wait: (ms) => Promise.resolve(void waits.push(ms)) })

  beforeEach(() => (waits = []))

  async function fail(target: Throttle, times: number, user = 'u', address = '192.0.2.1'): Promise<void> {
    for (let n = 0; n < times; n++) await target.failed(user, address)
  }

  it('doubles the wait with each wrong password, up to ten seconds, then refuses', async () => {
    const target = throttle()
    for (let n = 0; n < 10; n++) {
      expect(await target.admit('u', '192.0.2.1')).to.deep.equal({ go: true })
      await target.failed('u', '192.0.2.1')
    }
    expect(waits).to.deep.equal([100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000])
    const verdict = await target.admit('u', '192.0.2.1')
    expect(verdict.go).to.equal(false)
    expect(verdict.go || verdict.retryAfterSeconds).to.be.within(1, 900)
  })

  it('judges each network and each user by itself', async () => {
    const target = throttle()
    await fail(target, 10)
    expect(await target.admit('u', '192.0.2.2')).to.deep.equal({ go: true })
    expect(await target.admit('other', '192.0.2.1')).to.deep.equal({ go: true })
    expect((await target.admit('u', '::ffff:192.0.2.1')).go).to.equal(false)
    expect(waits).to.deep.equal([])
  })

  it('refuses a network that tries many users', async () => {
    const target = throttle({ perNetwork: 20 })
    for (let n = 0; n < 20; n++) await target.failed(`u${n}`, `2001:db8:0:1::${n}`)
    expect((await target.admit('fresh', '2001:db8:0:1::ffff')).go).to.equal(false)
    expect((await target.admit('fresh', '2001:db8:0:2::1')).go).to.equal(true)
  })

  it('never refuses a user where that user has logged in before, whatever strangers do', async () => {
    const target = throttle({ perUser: 30, perNetwork: 30 })
    await target.succeeded('u', '192.0.2.1')
    for (let n = 0; n < 60; n++) await target.failed('u', `198.51.100.${n}`)
    await fail(target, 60, 'u', '192.0.2.1')
    expect((await target.admit('u', '203.0.113.1')).go, 'a new network').to.equal(false)
    expect((await target.admit('u', '192.0.2.1')).go, 'the known one').to.equal(true)
    expect(waits).to.deep.equal([10_000])
  })

  it('forgets the wrong ones after a right one', async () => {
    const target = throttle()
    await fail(target, 5)
    await target.succeeded('u', '192.0.2.1')
    await target.admit('u', '192.0.2.1')
    expect(waits).to.deep.equal([])
  })

  it('lets only so many wait', async () => {
    let release = (): void => undefined
    const gate = new Promise<void>((resolve) => (release = resolve))
    const target = new Throttle({ wait: () => gate })
    await fail(target, 1)
    const waiting = Array.from({ length: 12 }, () => target.admit('u', '192.0.2.1'))
    const refused = await Promise.race([waiting[11], waiting[10]])
    expect(refused?.go).to.equal(false)
    release()
    const verdicts = await Promise.all(waiting)
    expect(verdicts.filter(({ go }) => go)).to.have.length(10)
  })

  it('counts wrong tokens, which say no name, against their network', async () => {
    const target = throttle({ perNetwork: 3 })
    for (let n = 0; n < 3; n++) await target.failed(undefined, '192.0.2.1')
    expect((await target.admit(undefined, '192.0.2.1')).go).to.equal(false)
    expect((await target.admit('u', '192.0.2.1')).go).to.equal(false)
    expect((await target.admit(undefined, '192.0.2.2')).go).to.equal(true)
  })

  describe('for the codes of a second factor', () => {
    it('refuses after five, whatever passwords were right in between', async () => {
      const target = throttle()
      for (let n = 0; n < 5; n++) {
        expect((await target.admitCode(7, '192.0.2.1')).go).to.equal(true)
        await target.failedCode(7, '192.0.2.1')
        await target.succeeded('u', '192.0.2.1')
      }
      expect((await target.admitCode(7, '192.0.2.1')).go).to.equal(false)
      expect((await target.admitCode(8, '192.0.2.1')).go, 'another user').to.equal(true)
    })

    it('begins anew after a right one', async () => {
      const target = throttle()
      for (let n = 0; n < 4; n++) await target.failedCode(7, '192.0.2.1')
      await target.succeededCode(7, '192.0.2.1')
      for (let n = 0; n < 4; n++) await target.failedCode(7, '192.0.2.1')
      expect((await target.admitCode(7, '192.0.2.1')).go).to.equal(true)
    })

    it('counts against the network too', async () => {
      const target = throttle({ perNetwork: 4 })
      for (let user = 0; user < 4; user++) await target.failedCode(user, '192.0.2.1')
      expect((await target.admitCode(9, '192.0.2.1')).go).to.equal(false)
      expect((await target.admit('u', '192.0.2.1')).go).to.equal(false)
    })
  })

  it('goes on where the one before it stood', async () => {
    const before = throttle()
    await fail(before, 10)
    for (let n = 0; n < 5; n++) await before.failedCode(7, '192.0.2.9')
    await before.succeeded('friend', '192.0.2.5')
    const after = throttle()
    await after.restore(JSON.parse(JSON.stringify(await before.snapshot(100))) as ThrottleSnapshot)
    const verdict = await after.admit('u', '192.0.2.1')
    expect(verdict.go || verdict.retryAfterSeconds).to.be.within(890, 900)
    expect((await after.admitCode(7, '192.0.2.9')).go).to.equal(false)
    await fail(after, 200, 'friend', '192.0.2.5')
    expect((await after.admit('friend', '192.0.2.5')).go, 'known there').to.equal(true)
  })

  it('hands on only so much, the last counted first', async () => {
    const target = throttle()
    for (let n = 0; n < 20; n++) await target.failed(`u${n}`, `192.0.2.${n}`)
    const { counters } = await target.snapshot(5)
    expect(counters['network']?.map(([key]) => key)).to.deep.equal([15, 16, 17, 18, 19].map((n) => `192.0.2.${n}`))
  })

  it('tells when there is something new to hand on', async () => {
    const target = throttle()
    await target.succeeded('u', '192.0.2.1')
    const { changes } = target
    await target.succeeded('u', '192.0.2.1')
    await target.admit('u', '192.0.2.1')
    expect(target.changes, 'a drive logs in all day').to.equal(changes)
    await target.failed('u', '192.0.2.1')
    expect(target.changes).to.be.greaterThan(changes)
  })
})
