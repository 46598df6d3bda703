import { expect } from 'chai'
import { bodyFor, labelOf } from './body.js'
import { History } from './history.js'

describe('the judge of the soak', () => {
  function history(writes: readonly [number, number, number, 'ok' | 'failed' | 'unknown'][]): History {
    const made = new History('/x')
    for (const [version, start, end, outcome] of writes) Object.assign(made.begin(version, start), { end, outcome })
    return made
  }

  it('accepts any of two versions while both are being written', () => {
    const two = history([
      [1, 0, 10, 'ok'],
      [2, 5, 15, 'ok'],
    ])
    two.reads.push({ start: 16, end: 17, version: 1 }, { start: 6, end: 7, version: 2 })
    expect(two.violations()).to.deep.equal([])
  })

  it('sees a lost version, one that came back, one that was refused and one of nobody', () => {
    const one = history([
      [1, 0, 10, 'ok'],
      [2, 20, 30, 'ok'],
      [3, 40, 50, 'failed'],
    ])
    one.reads.push({ start: 11, end: 12, version: undefined }, { start: 31, end: 32, version: 1 })
    one.reads.push({ start: 51, end: 52, version: 3 }, { start: 51, end: 52, version: 9 })
    one.reads.push({ start: 1, end: 2, version: 2 })
    expect(one.violations()).to.have.length(5)
  })

  it('lets a version appear whose writer was never told', () => {
    const unknown = history([
      [1, 0, 10, 'ok'],
      [2, 20, 25, 'unknown'],
    ])
    unknown.reads.push({ start: 26, end: 27, version: 1 }, { start: 90, end: 91, version: 2 })
    expect(unknown.violations()).to.deep.equal([])
  })

  it('does not let it appear over what was acknowledged long after', () => {
    const unknown = history([
      [1, 0, 10, 'unknown'],
      [2, 60_000, 60_010, 'ok'],
    ])
    unknown.reads.push({ start: 60_020, end: 60_030, version: 1 })
    expect(unknown.violations()).to.have.length(1)
  })

  it('sees a version that came back after a later one was seen, whatever the order of their writes was', () => {
    for (const [one, other, once] of [
      ['ok', 'ok', 1],
      // The first may have happened after the second.
      ['unknown', 'ok', 0],
      ['ok', 'unknown', 1],
    ] as const) {
      const two = history([
        [1, 0, 10, one],
        [2, 5, 15, other],
      ])
      two.reads.push({ start: 20, end: 21, version: 2 }, { start: 22, end: 23, version: 1 })
      expect(two.violations(), `${one}, ${other}`).to.have.length(once)
      two.reads.push({ start: 24, end: 25, version: 2 })
      expect(two.violations(), `${one}, ${other}, and back again`).to.have.length(1)
    }
  })

  it('sees nothing where something stood', () => {
    const one = history([[1, 0, 50, 'ok']])
    one.reads.push({ start: 5, end: 10, version: 1 }, { start: 12, end: 15, version: undefined })
    expect(one.violations()).to.have.length(1)
  })

  it('tells a body that is not whole', () => {
    const body = bodyFor({ path: '/x', version: 7, writer: 'user0' }, 10_000)
    expect(labelOf(body)).to.deep.equal({ path: '/x', version: 7, writer: 'user0' })
    expect(labelOf(body.subarray(0, 9_999))).to.equal(undefined)
    body[5_000] = (body[5_000] ?? 0) ^ 1
    expect(labelOf(body)).to.equal(undefined)
  })
})
