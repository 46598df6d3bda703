import { expect } from 'chai'
import { FailureCounter } from '../../src/auth/failure-counter.js'

describe('FailureCounter', () => {
  it('refuses from as many failures as it has points', async () => {
    const counter = new FailureCounter({ points: 2, duration: 60 })
    await counter.add('a')
    expect(await counter.refusedFor('a')).to.equal(undefined)
    await counter.add('a')
    expect(await counter.refusedFor('a')).to.be.within(59_000, 60_000)
    await counter.add('a')
    expect(await counter.failures('a')).to.equal(3)
    await counter.forget('a')
    expect([await counter.failures('a'), await counter.refusedFor('a')]).to.deep.equal([0, undefined])
  })

  it('keeps only so many keys, the last counted ones', async () => {
    const counter = new FailureCounter({ points: 2, duration: 60, max: 3 })
    for (const key of ['a', 'b', 'c', 'a', 'd']) await counter.add(key)
    const counts = await Promise.all(['a', 'b', 'c', 'd'].map((key) => counter.failures(key)))
    expect(counts).to.deep.equal([2, 0, 1, 1])
  })

  it('hands on and takes over what it counted, for as long as it still counts', async () => {
    const before = new FailureCounter({ points: 2, duration: 60 })
    for (const key of ['a', 'b', 'b']) await before.add(key)
    const records = await before.snapshot(10)
    expect(records.map(([key, failures]) => [key, failures])).to.deep.equal([
      ['a', 1],
      ['b', 2],
    ])
    const after = new FailureCounter({ points: 2, duration: 60 })
    await after.restore([...records, ['over', 2, Date.now() - 1], ['forged', 2, Date.now() + 1e12]])
    expect(await after.refusedFor('b')).to.be.within(50_000, 60_000)
    expect(await after.failures('over')).to.equal(0)
    expect(await after.refusedFor('forged'), 'never longer than the window').to.be.at.most(60_000)
    await after.add('a')
    expect(await after.failures('a')).to.equal(2)
  })
})
