import { expect } from 'chai'
import { Throttle } from '../../src/auth/throttle.js'

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
})
