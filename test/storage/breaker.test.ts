import { expect } from 'chai'
import { Breaker } from '../../src/storage/breaker.js'
import { StorageError, type StorageErrorCode } from '../../src/storage/errors.js'
import { ManualClock } from '../support/manual-clock.js'

describe('a server breaker', () => {
  let clock: ManualClock
  let breaker: Breaker

  beforeEach(() => {
    clock = new ManualClock()
    // 0.5 is the middle of the spread: pauses are exact.
    const limits = { breakerFailures: 3, breakerPause: 1_000, breakerMaxPause: 60_000 }
    breaker = new Breaker(clock, limits, () => 0.5)
  })

  function fail(code: StorageErrorCode = 'UNREACHABLE'): void {
    breaker.begin()
    breaker.failed(new StorageError(code, 'connection refused'))
  }

  function failures(count: number): void {
    for (let i = 0; i < count; i++) fail()
  }

  it('lets connects through until three in a row have failed', () => {
    failures(2)
    expect(breaker.refusal()).to.equal(undefined)
    fail()
    expect(breaker.refusal()).to.include({ code: 'UNAVAILABLE', retryAfterSeconds: 1 })
  })

  it('starts counting again after a success', () => {
    failures(2)
    breaker.succeeded()
    failures(2)
    expect(breaker.refusal()).to.equal(undefined)
  })

  it('lets exactly one connect through after the pause', async () => {
    failures(3)
    await clock.advance(999)
    expect(breaker.refusal()?.code).to.equal('UNAVAILABLE')
    await clock.advance(1)
    expect(breaker.refusal()).to.equal(undefined)
    breaker.begin()
    expect(breaker.refusal()?.code).to.equal('UNAVAILABLE')
    breaker.succeeded()
    expect(breaker.refusal()).to.equal(undefined)
  })

  it('doubles the pause with every failed probe, up to a minute', async () => {
    failures(3)
    const pauses: number[] = []
    for (let probe = 0; probe < 9; probe++) {
      const state = breaker.state
      if (state.state !== 'down') throw new Error('the breaker should be open')
      pauses.push(state.retryAt - clock.now())
      await clock.advance(state.retryAt - clock.now())
      fail()
    }
    expect(pauses).to.deep.equal([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000])
  })

  it('spreads pauses by a quarter either way', () => {
    const pauseWith = (random: number): number => {
      const spread = new Breaker(
        clock,
        { breakerFailures: 1, breakerPause: 1_000, breakerMaxPause: 60_000 },
        () => random,
      )
      spread.begin()
      spread.failed(new StorageError('UNREACHABLE', 'refused'))
      const state = spread.state
      return state.state === 'down' ? state.retryAt - clock.now() : NaN
    }
    expect([pauseWith(0), pauseWith(1)]).to.deep.equal([750, 1_250])
  })

  it('opens at once for a server that is not the trusted one, and keeps saying so', async () => {
    fail('UNTRUSTED')
    expect(breaker.refusal()?.code).to.equal('UNTRUSTED')
    await clock.advance(1_000)
    expect(breaker.refusal()).to.equal(undefined)
  })

  it('may be probed again at once when a probe ended without an answer', async () => {
    failures(3)
    await clock.advance(1_000)
    breaker.begin()
    breaker.inconclusive()
    expect(breaker.refusal()).to.equal(undefined)
  })

  it('tells what is known of the server', async () => {
    expect(breaker.state).to.deep.equal({ state: 'unknown' })
    breaker.succeeded()
    const since = clock.now()
    expect(breaker.state).to.deep.equal({ state: 'up', since })
    await clock.advance(5_000)
    breaker.succeeded()
    expect(breaker.state).to.deep.equal({ state: 'up', since })
    failures(3)
    const down = clock.now()
    expect(breaker.state).to.deep.equal({
      state: 'down',
      since: down,
      reason: 'connection refused',
      retryAt: down + 1_000,
    })
    await clock.advance(1_000)
    fail()
    expect(breaker.state).to.include({ state: 'down', since: down })
  })
})
