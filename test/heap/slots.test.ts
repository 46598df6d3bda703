import { expect } from 'chai'
import fc from 'fast-check'
import { Slots } from '../../src/heap/slots.js'

describe('slots', () => {
  it('hold what was added and not yet removed, in whatever order that was', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20)), (steps) => {
        const slots = new Slots<string>()
        const inside: { readonly slot: number; readonly item: string }[] = []
        for (const [n, step] of steps.entries()) {
          const leaving = inside[step]
          if (leaving) {
            slots.remove(leaving.slot)
            inside.splice(step, 1)
          } else inside.push({ slot: slots.add(`item ${n}`), item: `item ${n}` })
        }
        expect([...slots]).to.have.members(inside.map(({ item }) => item))
        expect(slots.size).to.equal(inside.length)
      }),
    )
  })

  it('are as many as were in use at once, however many came', () => {
    const slots = new Slots<object>()
    const used = new Set<number>()
    for (let n = 0; n < 1000; n++) {
      const [one, other] = [slots.add({}), slots.add({})]
      used.add(one).add(other)
      slots.remove(one)
      slots.remove(other)
    }
    expect(used.size).to.equal(2)
  })
})
