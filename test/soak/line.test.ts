import { expect } from 'chai'
import { lineThrough } from './line.js'
import { randomFrom } from './random.js'

describe('soak/line', () => {
  const random = randomFrom(1, 'noise')
  const minutes = Array.from({ length: 90 }, (_, i) => i / 6)
  const grows = (perMinute: number) =>
    lineThrough(minutes.map((at) => [at, 100 + perMinute * at + 40 * (random() - 0.5)]))

  it('tells what grows from what goes up and down', () => {
    const still = grows(0)
    expect(still.slope - 3 * still.error).to.be.below(0)
    const leak = grows(3)
    expect(leak.slope - 3 * leak.error).to.be.within(1, 3)
  })

  it('is sure of nothing by two points', () => {
    expect(
      lineThrough([
        [0, 1],
        [1, 9],
      ]).error,
    ).to.equal(Infinity)
  })
})
