import { expect } from 'chai'
import { Worlds } from './worlds.js'

describe('what may stand in a folder', () => {
  function withTwoFiles(): Worlds {
    const worlds = new Worlds()
    worlds.happened(
      new Map([
        ['a', 1],
        ['b', 2],
      ]),
    )
    return worlds
  }
  const moved = new Map([
    ['a', undefined],
    ['b', 1],
  ])

  it('is sure while every outcome is known', () => {
    const worlds = withTwoFiles()
    worlds.happened(moved)
    expect(worlds.sure).to.equal(true)
    expect([worlds.valueOf('a'), worlds.valueOf('b')]).to.deep.equal([undefined, 1])
  })

  it('is either before or after a move of which nobody told, and nothing between', () => {
    for (const [seen, possible] of [
      [{ a: 1, b: 2 }, true],
      [{ a: undefined, b: 1 }, true],
      [{ a: undefined, b: 2 }, false],
      [{ a: undefined, b: undefined }, false],
      [{ a: 1, b: 1 }, false],
    ] as const) {
      const worlds = withTwoFiles()
      worlds.mayHaveHappened(moved)
      expect(worlds.narrow(new Map(Object.entries(seen))), JSON.stringify(seen)).to.equal(possible)
      expect(worlds.sure).to.equal(possible)
    }
  })
})
